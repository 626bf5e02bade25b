package passkey

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	soft "github.com/descope/virtualwebauthn"
)

var noon = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

// site is the relying party of the tests.
func site(t *testing.T) *RelyingParty {
	t.Helper()
	rp, err := New(Settings{ID: "example.com", Name: "Example", Origins: []string{"https://example.com", "https://app.example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	return rp
}

// device is a software authenticator with one credential for one user.
type device struct {
	rp   soft.RelyingParty
	auth soft.Authenticator
	cred soft.Credential
	// Changes to the client data and the response before and after signing.
	client func(map[string]any)
	after  func(map[string]any)
}

func newDevice(handle string) *device {
	d := &device{
		rp:   soft.RelyingParty{ID: "example.com", Name: "Example", Origin: "https://example.com"},
		auth: soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: []byte(handle)}),
	}
	// virtualwebauthn drops leading zeros of coordinates, which no authenticator
	// does (RFC 9053, section 7.1.1): take a key without them.
	for d.cred = soft.NewCredential(soft.KeyTypeEC2); len(d.cred.Key.AttestationData()) != 77; {
		d.cred = soft.NewCredential(soft.KeyTypeEC2)
	}
	d.cred.Counter = 1
	return d
}

func (d *device) create(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	o, err := soft.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return d.change(t, soft.CreateAttestationResponse(d.rp, d.auth, d.cred, *o))
}

// get signs and counts.
func (d *device) get(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	o, err := soft.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.cred.Counter++
	return d.change(t, soft.CreateAssertionResponse(d.rp, d.auth, d.cred, *o))
}

// change applies client, signs again, and applies after.
func (d *device) change(t *testing.T, text string) []byte {
	t.Helper()
	if d.client == nil && d.after == nil {
		return []byte(text)
	}
	var r map[string]any
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	if d.client != nil {
		d.sign(t, r["response"].(map[string]any))
	}
	if d.after != nil {
		d.after(r)
	}
	out, _ := json.Marshal(r)
	return out
}

func (d *device) sign(t *testing.T, r map[string]any) {
	t.Helper()
	raw, _ := base64.RawURLEncoding.DecodeString(r["clientDataJSON"].(string))
	var data map[string]any
	if err := json.Unmarshal(raw, &data); err != nil {
		t.Fatal(err)
	}
	d.client(data)
	raw, _ = json.Marshal(data)
	r["clientDataJSON"] = base64.RawURLEncoding.EncodeToString(raw)
	authData, _ := base64.RawURLEncoding.DecodeString(r["authenticatorData"].(string))
	sig, err := d.cred.Key.Sign(digest(authData, raw))
	if err != nil {
		t.Fatal(err)
	}
	r["signature"] = base64.RawURLEncoding.EncodeToString(sig)
}

// register registers the device for the user and stores the passkey.
func register(t *testing.T, rp *RelyingParty, d *device, user User) User {
	t.Helper()
	c, err := rp.BeginRegistration(user, Second, noon)
	if err != nil {
		t.Fatal(err)
	}
	p, err := rp.FinishRegistration(user, c.State, d.create(t, c.Options), "Laptop", noon)
	if err != nil {
		t.Fatal(err)
	}
	return store(t, user, p)
}

// store adds the passkey, or replaces it, as it is read from a database.
func store(t *testing.T, user User, p *Passkey) User {
	t.Helper()
	data, err := p.Data()
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	user.Passkeys = slices.DeleteFunc(slices.Clone(user.Passkeys), func(q *Passkey) bool { return string(q.ID) == string(p.ID) })
	user.Passkeys = append(user.Passkeys, read)
	return user
}

var anna = User{Handle: Handle("42"), Name: "anna"}

// Each registration that is refused differs in one point from the first one,
// which is accepted.
func TestRegistration(t *testing.T) {
	type attempt struct {
		d     *device
		user  User
		state json.RawMessage
		need  Requirement
		at    time.Time
		raw   func([]byte) []byte
	}
	client := func(name string, v any) func(*attempt) {
		// Self attestation signs the client data, so that the browser's own statement
		// changes it before signing.
		return func(a *attempt) {
			a.raw = func(text []byte) []byte { return edit(text, name, v) }
		}
	}
	for _, c := range []struct {
		name   string
		change func(*attempt)
		want   error
	}{
		{"accepted", func(*attempt) {}, nil},
		{"accepted from a subdomain", func(a *attempt) { a.d.rp.Origin = "https://app.example.com" }, nil},
		{"accepted a moment before the end", func(a *attempt) { a.at = noon.Add(Lifetime - time.Second) }, nil},
		{"accepted without verification as a second factor", func(a *attempt) { a.d.auth.Options.UserNotVerified = true }, nil},
		{"accepted, synced", func(a *attempt) { a.d.auth.Options.BackupEligible, a.d.auth.Options.BackupState = true, true }, nil},
		{"accepted, RSA", func(a *attempt) { a.d.cred = soft.NewCredential(soft.KeyTypeRSA) }, nil},
		{"expired", func(a *attempt) { a.at = noon.Add(Lifetime) }, ErrExpired},
		{"other origin", func(a *attempt) { a.d.rp.Origin = "https://example.org" }, ErrInvalid},
		{"http", func(a *attempt) { a.d.rp.Origin = "http://example.com" }, ErrInvalid},
		{"other port", func(a *attempt) { a.d.rp.Origin = "https://example.com:8443" }, ErrInvalid},
		{"a subdomain that is not listed", func(a *attempt) { a.d.rp.Origin = "https://evil.example.com" }, ErrInvalid},
		{"other RP ID", func(a *attempt) { a.d.rp.ID = "app.example.com" }, ErrInvalid},
		{"other user", func(a *attempt) { a.user = User{Handle: Handle("43"), Name: "bert"} }, ErrInvalid},
		{"no user present", func(a *attempt) { a.d.auth.Options.UserNotPresent = true }, ErrInvalid},
		{"not verified, alone", func(a *attempt) { a.need, a.d.auth.Options.UserNotVerified = Alone, true }, ErrInvalid},
		{"backed up, not eligible", func(a *attempt) { a.d.auth.Options.BackupState = true }, ErrInvalid},
		{"other challenge", client("challenge", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ErrInvalid},
		{"other type", client("type", "webauthn.get"), ErrInvalid},
		{"another site's frame", client("crossOrigin", true), ErrInvalid},
		{"other signature", client("extra", "x"), ErrInvalid},
		{"state of a login", func(a *attempt) { a.state = []byte(strings.Replace(string(a.state), `"create"`, `"get"`, 1)) }, ErrInvalid},
		{"no state", func(a *attempt) { a.state = nil }, ErrInvalid},
		{"too long", func(a *attempt) {
			a.raw = func(text []byte) []byte { return append(text, slices.Repeat([]byte(" "), maxResponse)...) }
		}, ErrInvalid},
		{"no JSON", func(a *attempt) { a.raw = func([]byte) []byte { return []byte("{") } }, ErrInvalid},
		{"empty", func(a *attempt) { a.raw = func([]byte) []byte { return nil } }, ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			rp, a := site(t), &attempt{d: newDevice("16"), user: anna, at: noon, raw: func(text []byte) []byte { return text }}
			probe := *a
			c.change(&probe) // for need only, which the first half must know
			begun, err := rp.BeginRegistration(anna, probe.need, noon)
			if err != nil {
				t.Fatal(err)
			}
			a.state = begun.State
			c.change(a)
			p, err := rp.FinishRegistration(a.user, a.state, a.raw(a.d.create(t, begun.Options)), "Laptop", a.at)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && p.Name != "Laptop" {
				t.Errorf("the name is %q", p.Name)
			}
		})
	}
}

// edit changes a member of the client data without signing again.
func edit(text []byte, name string, v any) []byte {
	var r map[string]any
	_ = json.Unmarshal(text, &r)
	response := r["response"].(map[string]any)
	raw, _ := base64.RawURLEncoding.DecodeString(response["clientDataJSON"].(string))
	var data map[string]any
	_ = json.Unmarshal(raw, &data)
	data[name] = v
	raw, _ = json.Marshal(data)
	response["clientDataJSON"] = base64.RawURLEncoding.EncodeToString(raw)
	out, _ := json.Marshal(r)
	return out
}

// The options say what people.md and WebAuthn ask for.
func TestRegistrationOptions(t *testing.T) {
	rp := site(t)
	user := register(t, rp, newDevice("16"), anna)
	for need, want := range map[Requirement][3]any{Second: {"preferred", false, "preferred"}, Alone: {"required", true, "required"}} {
		c, err := rp.BeginRegistration(user, need, noon)
		if err != nil {
			t.Fatal(err)
		}
		var o struct {
			Challenge, Attestation string
			Timeout                int
			RP, User               map[string]string
			Params                 []struct{ Alg int } `json:"pubKeyCredParams"`
			Exclude                []map[string]any    `json:"excludeCredentials"`
			Selection              map[string]any      `json:"authenticatorSelection"`
			Extensions             map[string]any
		}
		if err := json.Unmarshal(c.Options, &o); err != nil {
			t.Fatal(err)
		}
		if challenge, err := base64.RawURLEncoding.DecodeString(o.Challenge); err != nil || len(challenge) != 32 {
			t.Errorf("the challenge has %d bytes, %v", len(challenge), err)
		}
		algorithms := []int{}
		for _, p := range o.Params {
			algorithms = append(algorithms, p.Alg)
		}
		if !slices.Equal(algorithms, []int{-8, -7, -257}) {
			t.Errorf("algorithms %v", algorithms)
		}
		if got := [3]any{o.Selection["residentKey"], o.Selection["requireResidentKey"], o.Selection["userVerification"]}; got != want {
			t.Errorf("selection %v, want %v", got, want)
		}
		if o.Attestation != "none" || o.Timeout != 300_000 || o.RP["id"] != "example.com" || o.User["id"] != "MTY" || o.User["displayName"] != "anna" {
			t.Errorf("options %s", c.Options)
		}
		if len(o.Exclude) != 1 || o.Exclude[0]["id"] != base64.RawURLEncoding.EncodeToString(user.Passkeys[0].ID) {
			t.Errorf("exclude list %v", o.Exclude)
		}
		if o.Extensions["credProps"] != true {
			t.Errorf("extensions %v", o.Extensions)
		}
		if len(c.State) > 160 {
			t.Errorf("the state has %d bytes", len(c.State))
		}
	}
}

func TestRegistrationTwice(t *testing.T) {
	rp, d := site(t), newDevice("16")
	user := register(t, rp, d, anna)
	c, _ := rp.BeginRegistration(user, Second, noon)
	// A browser does not do this: the passkey is in the exclude list.
	if _, err := rp.FinishRegistration(user, c.State, d.create(t, c.Options), "Laptop", noon); !errors.Is(err, ErrExists) {
		t.Errorf("the same passkey twice: %v", err)
	}
	if p, err := rp.FinishRegistration(user, c.State, newDevice("16").create(t, c.Options), "laptop", noon); err != nil || p.Name != "laptop 2" {
		t.Errorf("another passkey: %v, %v", p, err)
	}
}

func TestRegistrationLimit(t *testing.T) {
	rp, user := site(t), anna
	for range Limit - 1 {
		user = register(t, rp, newDevice("16"), user)
	}
	a, errA := rp.BeginRegistration(user, Second, noon)
	b, errB := rp.BeginRegistration(user, Second, noon)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	p, err := rp.FinishRegistration(user, a.State, newDevice("16").create(t, a.Options), "x", noon)
	if err != nil {
		t.Fatal(err)
	}
	user = store(t, user, p)
	if _, err := rp.FinishRegistration(user, b.State, newDevice("16").create(t, b.Options), "x", noon); !errors.Is(err, ErrTooMany) {
		t.Errorf("passkey %d by a ceremony that began before: %v", Limit+1, err)
	}
	if _, err := rp.BeginRegistration(user, Second, noon); !errors.Is(err, ErrTooMany) {
		t.Errorf("passkey %d: %v", Limit+1, err)
	}
}
