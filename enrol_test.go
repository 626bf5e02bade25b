package jotgate_test

import (
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

func mustHaveFactors(s *jotgate.Settings) { withPasskeys(s); s.RequireMFA = jotgate.MFAAll }

// mustEnrol begins a login that must set up a second factor, and returns its token.
func (b *bench) mustEnrol(t testing.TB, name string, client jotgate.Client) string {
	t.Helper()
	state, err := b.Logins().Begin(t.Context(), jotgate.Password(name, password), client)
	if err != nil || state.Next != jotgate.StepEnrol || !slices.Equal(state.Flows, []string{"passkey", "totp"}) {
		t.Fatalf("%+v, %v", state, err)
	}
	return state.Pending
}

func (b *bench) beginEnrolment(t testing.TB, pending string) jotgate.PasskeyCeremony {
	t.Helper()
	c, err := b.Logins().BeginPasskeyEnrolment(t.Context(), pending, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A login that must set up a second factor sets up a passkey, which the next login asks
// for; of the same credential sent eight times concurrently, one starts a session.
func TestEnrolPasskey(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, mustHaveFactors)
		alice := b.user(t, "alice", nil)
		k := newSoftKey(alice.ID)
		pending := b.mustEnrol(t, "alice", jotgate.Client{})
		c := b.beginEnrolment(t, pending)
		proof := jotgate.EnrolPasskey(jotgate.NewPasskey{Credential: k.create(t, c), Device: "Firefox on Linux"})
		other := newSoftKey(alice.ID)
		c2 := b.beginEnrolment(t, pending)
		var states [9]jotgate.LoginState
		var done atomic.Int32
		atOnce(len(states), func(i int) {
			token, p := c.Pending, proof
			if i == 0 { // another ceremony of the same login
				token, p = c2.Pending, jotgate.EnrolPasskey(jotgate.NewPasskey{Credential: other.create(t, c2)})
			}
			var err error
			if states[i], err = b.Logins().Continue(t.Context(), token, p, jotgate.Client{}); err == nil {
				done.Add(1)
			} else if !errors.Is(err, jotgate.ErrLoginNotValid) {
				t.Errorf("refused with %v", err)
			}
		})
		i := slices.IndexFunc(states[:], func(s jotgate.LoginState) bool { return s.Tokens.Access != "" })
		if done.Load() != 1 || i < 0 {
			t.Fatalf("%d logins are complete", done.Load())
		}
		user := states[i].Tokens.User
		if user.ACR() != "aal2" || !slices.Equal(user.AMR(), []string{"pwd", "pop", "user", "mfa"}) || len(states[i].RecoveryCodes) != 10 {
			t.Errorf("%+v, %d recovery codes", user, len(states[i].RecoveryCodes))
		}
		if sessions, err := b.Sessions().List(t.Context(), alice.ID); err != nil || len(sessions) != 1 {
			t.Errorf("%d sessions, %v", len(sessions), err)
		}
		if rows := b.factors(t, alice); len(rows) != 2 {
			t.Errorf("%d rows of factors", len(rows))
		}
		messages, err := db.Outbox().Due(t.Context(), noon.Add(time.Hour), 10, time.Minute)
		if err != nil || len(messages) != 1 || messages[0].Kind != record.MessageFactorAdded {
			t.Errorf("e-mails: %+v, %v", messages, err)
		}
		state, err := b.Logins().Begin(t.Context(), jotgate.Password("alice", password), jotgate.Client{})
		if err != nil || state.Next != jotgate.StepSecond || !slices.Equal(state.Flows, []string{"passkey", "recovery"}) {
			t.Fatalf("the next login: %+v, %v", state, err)
		}
		if _, err := b.Logins().BeginPasskeyEnrolment(t.Context(), state.Pending, jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
			t.Errorf("a login of a user with a passkey sets up another one: %v", err)
		}
		if i == 0 {
			k = other
		}
		login := b.beginPasskey(t, state.Pending)
		if state, err = b.Logins().Continue(t.Context(), login.Pending, jotgate.Passkey(k.get(t, login)), jotgate.Client{}); err != nil || state.Next != jotgate.StepDone {
			t.Errorf("%+v, %v", state, err)
		}
	})
}

// Each enrolment that is refused differs in one point from the first one. It stores
// nothing, and starts no session.
func TestEnrolPasskeyRefused(t *testing.T) {
	type attempt struct {
		b       *bench
		alice   *record.Account
		pending string // of the login
		token   string // of the ceremony
		client  jotgate.Client
		in      jotgate.NewPasskey
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, a *attempt)
		code   string
	}{
		{"accepted", func(*testing.T, *attempt) {}, ""},
		{"a name that is not valid", func(_ *testing.T, a *attempt) { a.in.Name = "a\nb" }, "name"},
		{"no ceremony", func(_ *testing.T, a *attempt) { a.token = a.pending }, "login_not_valid"},
		{"the ceremony of a login", func(t *testing.T, a *attempt) { a.token = a.b.beginPasskey(t, "").Pending }, "login_not_valid"},
		{"the ceremony of an account", func(t *testing.T, a *attempt) {
			a.token = a.b.beginRegistration(t, a.alice, bothUses).Pending
		}, "login_not_valid"},
		{"another login of the user", func(t *testing.T, a *attempt) {
			a.token = a.b.beginEnrolment(t, a.b.mustEnrol(t, "alice", jotgate.Client{})).Pending
		}, "passkey_not_valid"},
		{"the login of another user", func(t *testing.T, a *attempt) {
			a.b.user(t, "bob", nil)
			a.token = a.b.beginEnrolment(t, a.b.mustEnrol(t, "bob", jotgate.Client{})).Pending
		}, "passkey_not_valid"},
		{"a browser's login", func(_ *testing.T, a *attempt) { a.client.Browser = true }, "login_not_valid"},
		{"expired", func(_ *testing.T, a *attempt) { a.b.clock.Advance(5 * time.Minute) }, "login_not_valid"},
		{"the password changed", func(t *testing.T, a *attempt) {
			encoded := "!"
			if err := a.b.db.Accounts().Change(t.Context(), a.alice.ID, record.Change{Password: &encoded, At: noon}); err != nil {
				t.Fatal(err)
			}
		}, "login_not_valid"},
		{"no credential", func(_ *testing.T, a *attempt) { a.in.Credential = nil }, "passkey_not_valid"},
		{"a code in its place", func(_ *testing.T, a *attempt) { a.in.Credential = []byte(`"123456"`) }, "passkey_not_valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newGate(t, mustHaveFactors)
			alice := b.user(t, "alice", nil)
			a := &attempt{b: b, alice: alice, pending: b.mustEnrol(t, "alice", jotgate.Client{})}
			begun := b.beginEnrolment(t, a.pending)
			a.token, a.in = begun.Pending, jotgate.NewPasskey{Credential: newSoftKey(alice.ID).create(t, begun), Device: "Laptop"}
			c.change(t, a)
			_, err := b.Logins().Continue(t.Context(), a.token, jotgate.EnrolPasskey(a.in), a.client)
			got := ""
			if err != nil {
				e := jotgate.AsError(err)
				if got = e.Code; len(e.Fields) > 0 {
					got = e.Fields[0].Field
				}
			}
			if got != c.code {
				t.Fatalf("got %q (%v), want %q", got, err, c.code)
			}
			sessions, err := b.Sessions().List(t.Context(), alice.ID)
			if n := len(b.factors(t, alice)); err != nil || (n > 0) != (c.code == "") || (len(sessions) > 0) != (c.code == "") {
				t.Errorf("%d rows, %d sessions, %v", n, len(sessions), err)
			}
		})
	}
}

// A refused credential does not use up the login: the user can still set up an
// authenticator app, whose ceremony is another one.
func TestEnrolmentChoice(t *testing.T) {
	b := newGate(t, mustHaveFactors)
	b.user(t, "alice", nil)
	pending := b.mustEnrol(t, "alice", jotgate.Client{})
	c := b.beginEnrolment(t, pending)
	if _, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.EnrolPasskey(jotgate.NewPasskey{Credential: []byte("{}")}), jotgate.Client{}); !errors.Is(err, jotgate.ErrPasskeyNotValid) {
		t.Errorf("an empty credential: %v", err)
	}
	if _, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey([]byte("{}")), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
		t.Errorf("a registration as a login: %v", err)
	}
	begun, err := b.Logins().BeginEnrolment(t.Context(), pending, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	state, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.EnrolTOTP(begun.Token, app{begun.Secret}.at(t, b.clock.Now())), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepDone {
		t.Errorf("%+v, %v", state, err)
	}
	plain := gateOn(t, b.db, func(s *jotgate.Settings) { s.RequireMFA = jotgate.MFAAll })
	b.user(t, "bob", nil)
	state, err = plain.Logins().Begin(t.Context(), jotgate.Password("bob", password), jotgate.Client{})
	if err != nil || !slices.Equal(state.Flows, []string{"totp"}) {
		t.Fatalf("without an RP ID: %+v, %v", state, err)
	}
	if _, err := plain.Logins().BeginPasskeyEnrolment(t.Context(), state.Pending, jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("without an RP ID: %v", err)
	}
}
