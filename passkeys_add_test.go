package jotgate_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

var bothUses = jotgate.PasskeyUse{Passwordless: true, SecondFactor: true}

func (b *bench) beginRegistration(t testing.TB, a *record.Account, use jotgate.PasskeyUse) jotgate.PasskeyCeremony {
	t.Helper()
	c, err := b.Factors().Passkeys().Begin(t.Context(), a, use)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A passkey is registered once, with recovery codes if it is the first second
// factor, its owner is notified, and it logs in.
func TestPasskeyRegistration(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, withPasskeys)
		alice := b.user(t, "alice", nil)
		k := newSoftKey(alice.ID)
		c := b.beginRegistration(t, alice, bothUses)
		in := jotgate.NewPasskey{Pending: c.Pending, Credential: k.create(t, c), Device: "Firefox on Linux"}
		info, codes, err := b.Factors().Passkeys().Add(t.Context(), alice, in, jotgate.Client{})
		if err != nil || len(codes) != 10 || info.Name != "Firefox on Linux" || !info.SecondFactor || info.Synced || !info.Created.Equal(noon) {
			t.Fatalf("%+v, %d codes, %v", info, len(codes), err)
		}
		if _, _, err := b.Factors().Passkeys().Add(t.Context(), alice, in, jotgate.Client{}); err == nil {
			t.Error("the same response was accepted twice")
		}
		messages, err := db.Outbox().Due(t.Context(), noon.Add(time.Hour), 10, time.Minute)
		if err != nil || len(messages) != 1 || messages[0].Kind != record.MessageFactorAdded {
			t.Errorf("e-mails: %+v, %v", messages, err)
		}
		login := b.beginPasskey(t, "")
		state, err := b.Logins().Continue(t.Context(), login.Pending, jotgate.Passkey(k.get(t, login)), jotgate.Client{})
		if err != nil || state.Next != jotgate.StepDone {
			t.Fatalf("login: %+v, %v", state, err)
		}
		if _, err := b.Factors().Passkeys().Rename(t.Context(), alice, info.ID, " Desk ", jotgate.Client{}); err != nil {
			t.Error(err)
		}
		list, signals, err := b.Factors().Passkeys().List(t.Context(), alice)
		if err != nil || len(list) != 1 || list[0].Name != "Desk" || !list[0].LastUsed.Equal(noon) || len(signals.Accepted) != 1 {
			t.Errorf("list %+v, signals %+v, %v", list, signals, err)
		}
		if _, err := b.Factors().Passkeys().Rename(t.Context(), alice, info.ID, "a\nb", jotgate.Client{}); jotgate.AsError(err).Status != 400 {
			t.Errorf("a name with a line end: %v", err)
		}
		if _, err := b.Factors().Passkeys().Rename(t.Context(), b.user(t, "bob", nil), info.ID, "Bob's", jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
			t.Errorf("another user's passkey: %v", err)
		}
	})
}

// Each registration that is refused differs in one point from the first one,
// which is accepted.
func TestPasskeyRegistrationRefused(t *testing.T) {
	type attempt struct {
		b     *bench
		alice *record.Account
		k     *softKey
		in    jotgate.NewPasskey
	}
	for _, c := range []struct {
		name   string
		change func(t *testing.T, a *attempt)
		code   string
	}{
		{"accepted", func(*testing.T, *attempt) {}, ""},
		{"accepted with a name", func(_ *testing.T, a *attempt) { a.in.Name = "Büro" }, ""},
		{"name too long", func(_ *testing.T, a *attempt) { a.in.Name = strings.Repeat("x", 101) }, "name"},
		{"expired", func(_ *testing.T, a *attempt) { a.b.clock.Advance(5 * time.Minute) }, "login_not_valid"},
		{"another account's token", func(t *testing.T, a *attempt) {
			a.in.Pending = a.b.beginRegistration(t, a.b.user(t, "bob", nil), bothUses).Pending
		}, "login_not_valid"},
		{"a login's token", func(t *testing.T, a *attempt) { a.in.Pending = a.b.beginPasskey(t, "").Pending }, "login_not_valid"},
		{"another challenge", func(t *testing.T, a *attempt) {
			a.in.Pending = a.b.beginRegistration(t, a.alice, bothUses).Pending
		}, "passkey_not_valid"},
		{"the password changed", func(t *testing.T, a *attempt) {
			encoded := "!"
			if err := a.b.db.Accounts().Change(t.Context(), a.alice.ID, record.Change{Password: &encoded, At: noon}); err != nil {
				t.Fatal(err)
			}
		}, "login_not_valid"},
		{"no credential", func(_ *testing.T, a *attempt) { a.in.Credential = nil }, "passkey_not_valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newGate(t, withPasskeys)
			alice := b.user(t, "alice", nil)
			a := &attempt{b: b, alice: alice, k: newSoftKey(alice.ID)}
			begun := b.beginRegistration(t, alice, bothUses)
			a.in = jotgate.NewPasskey{Pending: begun.Pending, Credential: a.k.create(t, begun), Device: "Laptop"}
			c.change(t, a)
			_, _, err := b.Factors().Passkeys().Add(t.Context(), alice, a.in, jotgate.Client{})
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
			if n := len(b.factors(t, alice)); (n > 0) != (c.code == "") {
				t.Errorf("%d rows", n)
			}
		})
	}
}

// One registration sent eight times concurrently adds one passkey, and of two
// that begin with 19 passkeys one is the twentieth.
func TestPasskeyRegistrationRaces(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		b := gateOn(t, db, withPasskeys)
		alice := b.user(t, "alice", nil)
		var added atomic.Int32
		const codes = 1 // the row of the recovery codes
		for len(b.factors(t, alice)) < codes+19 {
			k, c := newSoftKey(alice.ID), b.beginRegistration(t, alice, bothUses)
			in := jotgate.NewPasskey{Pending: c.Pending, Credential: k.create(t, c)}
			added.Store(0)
			atOnce(8, func(int) {
				if _, _, err := b.Factors().Passkeys().Add(t.Context(), alice, in, jotgate.Client{}); err == nil {
					added.Add(1)
				}
			})
			if added.Load() != 1 {
				t.Fatalf("%d were added", added.Load())
			}
		}
		var in [2]jotgate.NewPasskey
		for i := range in {
			c := b.beginRegistration(t, alice, bothUses)
			in[i] = jotgate.NewPasskey{Pending: c.Pending, Credential: newSoftKey(alice.ID).create(t, c)}
		}
		added.Store(0)
		atOnce(2, func(i int) {
			if _, _, err := b.Factors().Passkeys().Add(t.Context(), alice, in[i], jotgate.Client{}); err == nil {
				added.Add(1)
			}
		})
		if n := len(b.factors(t, alice)); added.Load() != 1 || n != codes+20 {
			t.Errorf("%d were added, there are %d rows", added.Load(), n)
		}
		if _, err := b.Factors().Passkeys().Begin(t.Context(), alice, bothUses); jotgate.AsError(err).Code != "passkey_limit" {
			t.Errorf("one more: %v", err)
		}
	})
}

// A passkey for logins alone does not make a password ask for it, but a policy
// can; and it logs in with two factors.
func TestPasskeyForLoginsAlone(t *testing.T) {
	b := newGate(t, withPasskeys)
	alice := b.user(t, "alice", nil)
	k := newSoftKey(alice.ID)
	c := b.beginRegistration(t, alice, jotgate.PasskeyUse{Passwordless: true})
	info, codes, err := b.Factors().Passkeys().Add(t.Context(), alice, jotgate.NewPasskey{Pending: c.Pending, Credential: k.create(t, c)}, jotgate.Client{})
	if err != nil || len(codes) != 0 || info.SecondFactor {
		t.Fatalf("%+v, %d codes, %v", info, len(codes), err)
	}
	b.login(t, "alice")
	strict := gateOn(t, b.db, func(s *jotgate.Settings) { withPasskeys(s); s.RequireMFA = jotgate.MFAAll })
	var step *jotgate.StepError
	if _, err := strict.Login(t.Context(), "alice", password, jotgate.Client{}); !errors.As(err, &step) || step.State.Next != jotgate.StepSecond {
		t.Errorf("with the policy: %v", err)
	}
	if _, err := b.Factors().Passkeys().Begin(t.Context(), alice, jotgate.PasskeyUse{}); jotgate.AsError(err).Code != "passkey_use" {
		t.Errorf("a passkey for nothing: %v", err)
	}
}

// The first passkey pins the RP ID: another one is refused.
func TestPinnedRPID(t *testing.T) {
	b := newGate(t, withPasskeys)
	alice := b.user(t, "alice", nil)
	other := gateOn(t, b.db, func(s *jotgate.Settings) { s.RPID = "example.org" })
	if err := other.Factors().Passkeys().CheckRPID(t.Context()); err != nil {
		t.Errorf("before the first passkey: %v", err)
	}
	begun := other.beginRegistration(t, alice, bothUses)
	k := newSoftKey(alice.ID)
	c := b.beginRegistration(t, alice, bothUses)
	if _, _, err := b.Factors().Passkeys().Add(t.Context(), alice, jotgate.NewPasskey{Pending: c.Pending, Credential: k.create(t, c)}, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Factors().Passkeys().CheckRPID(t.Context()); err != nil {
		t.Error(err)
	}
	if err := other.Factors().Passkeys().CheckRPID(t.Context()); err == nil || !strings.Contains(err.Error(), "--rp-id=example.com") {
		t.Errorf("another RP ID: %v", err)
	}
	if _, err := other.Factors().Passkeys().Begin(t.Context(), alice, bothUses); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("a registration for another RP ID: %v", err)
	}
	k2 := newSoftKey(alice.ID)
	k2.rp.ID, k2.rp.Origin = "example.org", "https://example.org"
	if _, _, err := other.Factors().Passkeys().Add(t.Context(), alice, jotgate.NewPasskey{Pending: begun.Pending, Credential: k2.create(t, begun)}, jotgate.Client{}); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Errorf("one that began before: %v", err)
	}
}

// A passkey raises a session's level, once for each ceremony.
func TestPasskeyAgain(t *testing.T) {
	b := newGate(t, withPasskeys)
	alice := b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	k := newSoftKey(alice.ID)
	b.addPasskey(t, alice, k)
	again := func(credential []byte, pending string) (jotgate.LoginState, error) {
		user, err := b.VerifyAccess(tokens.Access)
		if err != nil {
			t.Fatal(err)
		}
		return b.Logins().Reauthenticate(t.Context(), user, jotgate.PasskeyAgain(pending, credential), jotgate.Client{})
	}
	c, err := b.Factors().Passkeys().BeginAgain(t.Context(), alice)
	if err != nil {
		t.Fatal(err)
	}
	credential := k.get(t, c)
	login := b.beginPasskey(t, "")
	if _, err := again(k.get(t, login), login.Pending); !errors.Is(err, jotgate.ErrLoginNotValid) {
		t.Errorf("the token of a login: %v", err)
	}
	if _, err := b.Logins().Continue(t.Context(), c.Pending, jotgate.Passkey(credential), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
		t.Errorf("the token of authenticating again, in a login: %v", err)
	}
	state, err := again(credential, c.Pending)
	if err != nil || state.Tokens.User.ACR() != "aal2" || state.Tokens.User.Session == tokens.User.Session {
		t.Fatalf("%+v, %v", state, err)
	}
	tokens = state.Tokens
	if _, err := again(credential, c.Pending); err == nil {
		t.Error("the same credential was accepted twice")
	}
}
