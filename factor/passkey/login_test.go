package passkey

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// digest is what an authenticator signs, hashed.
func digest(authData, clientData []byte) []byte {
	hash := sha256.Sum256(clientData)
	sum := sha256.Sum256(slices.Concat(authData, hash[:]))
	return sum[:]
}

// try is one login.
type try struct {
	rp     *RelyingParty
	d      *device
	user   User // that begins and whose passkeys verify
	begin  User // if its handle is set: that begins
	state  func(json.RawMessage) json.RawMessage
	proved bool
	at     time.Time
}

// Each login that is refused differs in one point from the first one, which
// is accepted: without a user name, and as a second factor.
func TestLogin(t *testing.T) {
	client := func(name string, v any) func(*try) {
		return func(l *try) { l.d.client = func(data map[string]any) { data[name] = v } }
	}
	after := func(change func(r, response map[string]any)) func(*try) {
		return func(l *try) {
			l.d.after = func(r map[string]any) { change(r, r["response"].(map[string]any)) }
		}
	}
	for _, c := range []struct {
		name          string
		change        func(*try)
		alone, second error
	}{
		{"accepted", func(*try) {}, nil, nil},
		{"accepted from the app's origin", func(l *try) { l.d.rp.Origin = "https://app.example.com" }, nil, nil},
		{"accepted, signed again", client("ignored", "x"), nil, nil},
		{"accepted a moment before the end", func(l *try) { l.at = noon.Add(Lifetime - time.Second) }, nil, nil},
		{"not verified", func(l *try) { l.d.auth.Options.UserNotVerified = true }, ErrInvalid, nil},
		{"no user handle", after(func(_, r map[string]any) { delete(r, "userHandle") }), ErrInvalid, nil},
		{"expired", func(l *try) { l.at = noon.Add(Lifetime) }, ErrExpired, ErrExpired},
		{"other origin", func(l *try) { l.d.rp.Origin = "https://example.org" }, ErrInvalid, ErrInvalid},
		{"other RP ID", func(l *try) { l.d.rp.ID = "example.org" }, ErrInvalid, ErrInvalid},
		{"no user present", func(l *try) { l.d.auth.Options.UserNotPresent = true }, ErrInvalid, ErrInvalid},
		{"other challenge", client("challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ErrInvalid, ErrInvalid},
		{"other type", client("type", "webauthn.create"), ErrInvalid, ErrInvalid},
		{"another site's frame", client("crossOrigin", true), ErrInvalid, ErrInvalid},
		{"other user handle", after(func(_, r map[string]any) { r["userHandle"] = base64.RawURLEncoding.EncodeToString(Handle("43")) }), ErrInvalid, ErrInvalid},
		{"changed signature", after(func(_, r map[string]any) { r["signature"] = "MEUCIQ" + r["signature"].(string)[6:] + "AA" }), ErrInvalid, ErrInvalid},
		{"no signature", after(func(_, r map[string]any) { r["signature"] = "" }), ErrInvalid, ErrInvalid},
		{"changed authenticator data", after(func(_, r map[string]any) { r["authenticatorData"] = bump(r["authenticatorData"].(string)) }), ErrInvalid, ErrInvalid},
		{"rawId differs", after(func(r, _ map[string]any) { r["rawId"] = "AAAA" }), ErrInvalid, ErrInvalid},
		{"unknown passkey", after(func(r, _ map[string]any) { r["id"], r["rawId"] = "AAAA", "AAAA" }), ErrUnknown, ErrUnknown},
		{"removed passkey", func(l *try) { l.begin, l.user.Passkeys = l.user, l.user.Passkeys[:1] }, ErrUnknown, ErrUnknown},
		{"other key", func(l *try) { l.d.cred.Key = newDevice("16").cred.Key }, ErrInvalid, ErrInvalid},
		{"no longer eligible for backup", func(l *try) { l.user.Passkeys[1].Synced = true }, ErrInvalid, ErrInvalid},
		{"backed up, not eligible", func(l *try) { l.d.auth.Options.BackupState = true }, ErrInvalid, ErrInvalid},
		{"same counter", func(l *try) { l.d.cred.Counter-- }, ErrCloned, ErrCloned},
		{"counter 0", func(l *try) { l.d.cred.Counter = ^uint32(0) }, ErrCloned, ErrCloned},
		{"same counter, becomes synced", func(l *try) { l.d.cred.Counter--; l.d.auth.Options.BackupEligible = true }, ErrCloned, ErrCloned},
		{"state of a registration", func(l *try) {
			l.state = func(s json.RawMessage) json.RawMessage {
				return []byte(strings.Replace(string(s), `"get"`, `"create"`, 1))
			}
		}, ErrInvalid, ErrInvalid},
		{"no JSON", func(l *try) { l.d.after = func(r map[string]any) { delete(r, "response") } }, ErrInvalid, ErrInvalid},
		{"another user's login", func(l *try) { l.begin = register(t, l.rp, newDevice("17"), User{Handle: Handle("43")}) }, nil, ErrInvalid},
	} {
		for _, as := range []struct {
			name string
			want error
		}{{"alone", c.alone}, {"second", c.second}} {
			t.Run(c.name+", "+as.name, func(t *testing.T) {
				l := &try{rp: site(t), d: newDevice("16"), at: noon, state: func(s json.RawMessage) json.RawMessage { return s }}
				l.user = register(t, l.rp, newDevice("16"), anna)
				l.user = register(t, l.rp, l.d, l.user)
				c.change(l)
				a, err := l.login(t, as.name == "alone")
				if !errors.Is(err, as.want) || (err == nil) != (as.want == nil) {
					t.Fatalf("got %v, want %v", err, as.want)
				}
				if err == nil && a.Passkey.count != 2 {
					t.Errorf("the counter is %d", a.Passkey.count)
				}
			})
		}
	}
}

func (l *try) login(t *testing.T, alone bool) (*Assertion, error) {
	t.Helper()
	begin := l.user
	if len(l.begin.Handle) > 0 {
		begin = l.begin
	}
	if alone {
		begin = User{}
	}
	c, err := l.rp.BeginLogin(begin, noon)
	if err != nil {
		t.Fatal(err)
	}
	response := l.d.get(t, c.Options)
	if alone {
		if _, err := Owner(response); err != nil {
			return nil, err
		}
	}
	return l.rp.FinishLogin(l.user, l.state(c.State), response, l.proved, l.at)
}

// bump raises the counter in authenticator data.
func bump(text string) string {
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	raw[36]++
	return base64.RawURLEncoding.EncodeToString(raw)
}

func simpleLogin(t *testing.T, rp *RelyingParty, d *device, user User, proved bool) *Assertion {
	t.Helper()
	l := &try{rp: rp, d: d, user: user, at: noon, proved: proved, state: func(s json.RawMessage) json.RawMessage { return s }}
	a, err := l.login(t, false)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A platform that begins to sync a passkey is accepted, once as a change, and
// cannot go back.
func TestBecomesSynced(t *testing.T) {
	rp, d := site(t), newDevice("16")
	user := register(t, rp, d, anna)
	if a := simpleLogin(t, rp, d, user, true); a.BecameSynced || a.Passkey.Synced {
		t.Errorf("bound to the device: %+v", a)
	}
	d.auth.Options.BackupEligible, d.auth.Options.BackupState = true, true
	a := simpleLogin(t, rp, d, user, true)
	if !a.BecameSynced || !a.Passkey.Synced || !a.Passkey.BackedUp || user.Passkeys[0].Synced {
		t.Errorf("becomes synced: %+v", a)
	}
	user = store(t, user, a.Passkey)
	d.cred.Counter = ^uint32(0) // the next use has 0, as all uses of synced passkeys
	if a = simpleLogin(t, rp, d, user, true); a.BecameSynced || a.Passkey.count != 3 {
		t.Errorf("synced, counter 0: %+v", a)
	}
	d.auth.Options.BackupState = false
	if a = simpleLogin(t, rp, d, user, true); a.Passkey.BackedUp || !a.Passkey.Synced {
		t.Errorf("no longer backed up: %+v", a.Passkey)
	}
}

// A counter that stays 0 means that the authenticator has none.
func TestNoCounter(t *testing.T) {
	rp, d := site(t), newDevice("16")
	d.cred.Counter = 0
	user := register(t, rp, d, anna)
	for range 2 {
		d.cred.Counter = ^uint32(0)
		user = store(t, user, simpleLogin(t, rp, d, user, true).Passkey)
	}
}

// A key that was registered without a PIN does not become a login by itself
// because a thief has set one.
func TestVerificationSeenLater(t *testing.T) {
	rp, d := site(t), newDevice("16")
	d.auth.Options.UserNotVerified = true
	user := register(t, rp, d, anna)
	if a := simpleLogin(t, rp, d, user, true); a.UserVerified || a.Passkey.UserVerified {
		t.Errorf("without a PIN: %+v", a)
	}
	d.auth.Options.UserNotVerified = false
	l := &try{rp: rp, d: d, user: user, at: noon, state: func(s json.RawMessage) json.RawMessage { return s }}
	a, err := l.login(t, true)
	if err != nil || a.UserVerified || a.Passkey.UserVerified {
		t.Errorf("the thief's PIN, alone: %+v, %v", a, err)
	}
	a = simpleLogin(t, rp, d, user, true)
	if !a.UserVerified || !a.Passkey.UserVerified {
		t.Errorf("the owner's PIN, after a password: %+v", a)
	}
	user = store(t, user, a.Passkey)
	d.auth.Options.UserNotVerified = true
	if a = simpleLogin(t, rp, d, user, true); a.UserVerified || !a.Passkey.UserVerified {
		t.Errorf("without the PIN, later: %+v", a)
	}
	l.user, d.auth.Options.UserNotVerified = store(t, user, a.Passkey), false
	if a, err = l.login(t, true); err != nil || !a.UserVerified {
		t.Errorf("alone, later: %+v, %v", a, err)
	}
}

func TestLoginOptions(t *testing.T) {
	rp := site(t)
	user := register(t, rp, newDevice("16"), anna)
	for _, c := range []struct {
		user    User
		uv      string
		allowed int
	}{{User{}, "required", 0}, {user, "preferred", 1}} {
		ceremony, err := rp.BeginLogin(c.user, noon)
		if err != nil {
			t.Fatal(err)
		}
		var o struct {
			Challenge, RPID, UserVerification string
			Timeout                           int
			AllowCredentials                  []map[string]any
		}
		if err := json.Unmarshal(ceremony.Options, &o); err != nil {
			t.Fatal(err)
		}
		if o.RPID != "example.com" || o.UserVerification != c.uv || o.Timeout != 300_000 || len(o.AllowCredentials) != c.allowed || len(o.Challenge) != 43 {
			t.Errorf("options %s", ceremony.Options)
		}
		if len(ceremony.State) > 160 {
			t.Errorf("the state has %d bytes", len(ceremony.State))
		}
	}
	if _, err := rp.BeginLogin(anna, noon); !errors.Is(err, ErrNoPasskey) {
		t.Errorf("a user without passkeys: %v", err)
	}
}

func TestSignals(t *testing.T) {
	rp := site(t)
	user := register(t, rp, newDevice("16"), anna)
	got, _ := json.Marshal(rp.Signals(user))
	want := `{"rpId":"example.com","userId":"MTY","allAcceptedCredentialIds":["` + base64.RawURLEncoding.EncodeToString(user.Passkeys[0].ID) +
		`"],"name":"anna","displayName":"anna"}`
	if string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, _ := json.Marshal(rp.Signals(anna)); !strings.Contains(string(got), `"allAcceptedCredentialIds":[]`) {
		t.Errorf("without passkeys: %s", got)
	}
}
