package jotgate_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/record"
)

// app is an authenticator app of a user.
type app struct{ secret string }

// at returns the code that the app shows at t.
func (a app) at(t testing.TB, now time.Time) string {
	t.Helper()
	code, err := totp.Code(a.secret, totp.Step(now))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// enrol sets up an authenticator app for the account, one minute ago, and returns
// it with the recovery codes.
func (b *bench) enrol(t testing.TB, a *record.Account) (app, []string) {
	t.Helper()
	begun, err := b.Factors().BeginTOTP(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	phone := app{begun.Secret}
	codes, err := b.Factors().AddTOTP(t.Context(), a, begun.Token, phone.at(t, b.clock.Now()), jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(time.Minute)
	return phone, codes
}

// pending logs in with the password and returns the token for the second step.
func (b *bench) pending(t testing.TB, name string) string {
	t.Helper()
	state, err := b.Logins().Begin(t.Context(), jotgate.Password(name, password), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepSecond || state.Pending == "" || state.Tokens.Access != "" {
		t.Fatalf("%+v, %v", state, err)
	}
	return state.Pending
}

// sessions returns the number of the user's live sessions.
func (b *bench) sessions(t testing.TB, a *record.Account) int {
	t.Helper()
	list, err := b.Sessions().List(t.Context(), a.ID)
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func TestLoginInSteps(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	b.login(t, "alice") // without a factor, one step
	phone, codes := b.enrol(t, alice)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	before := b.sessions(t, alice)

	_, err := b.Login(t.Context(), "alice", password, jotgate.Client{})
	var step *jotgate.StepError
	if !errors.As(err, &step) || step.State.Next != jotgate.StepSecond || strings.Join(step.State.Flows, " ") != "totp recovery" {
		t.Fatalf("%+v, %v", step, err)
	}
	if e := jotgate.AsError(err); e.Status != 401 || e.Code != "mfa_required" || e.Pending != step.State.Pending {
		t.Fatalf("%+v", e)
	}
	if n := b.sessions(t, alice); n != before {
		t.Fatalf("%d sessions after the first step, %d before", n, before)
	}

	pending := b.pending(t, "alice")
	if _, err := b.Logins().Continue(t.Context(), pending, jotgate.TOTP("000000"), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Fatalf("a wrong code: %v", err)
	}
	code := phone.at(t, b.clock.Now())
	state, err := b.Logins().Continue(t.Context(), pending, jotgate.TOTP(code), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepDone || state.Tokens.Refresh == "" || state.Tokens.User.ID != alice.ID {
		t.Fatalf("%+v, %v", state, err)
	}
	if n := b.sessions(t, alice); n != before+1 {
		t.Fatalf("%d sessions, want %d", n, before+1)
	}

	// Nothing works twice.
	if _, err := b.Logins().Continue(t.Context(), pending, jotgate.RecoveryCode(codes[0]), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
		t.Errorf("the pending login again: %v", err)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(code), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Errorf("the code again: %v", err)
	}
	// The failed login used up nothing, and neither did the code that it named.
	spelled := strings.ToLower(strings.ReplaceAll(codes[0], "-", " "))
	if state, err = b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.RecoveryCode(spelled), jotgate.Client{}); err != nil || state.Tokens.Access == "" {
		t.Errorf("a recovery code: %+v, %v", state, err)
	}
	if _, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.RecoveryCode(codes[0]), jotgate.Client{}); !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Errorf("the recovery code again: %v", err)
	}
}

// A pending login ends with everything that it depends on.
func TestPendingLoginEnds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, b *bench, a *record.Account)
		client jotgate.Client
		token  func(string) string
	}{
		"after 15 minutes": {change: func(_ *testing.T, b *bench, _ *record.Account) { b.clock.Advance(15 * time.Minute) }},
		"with the password": {change: func(t *testing.T, b *bench, a *record.Account) {
			if err := b.Accounts().SetPassword(t.Context(), a, "another good password", "", jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
		}},
		"with the account": {change: func(t *testing.T, b *bench, a *record.Account) {
			if err := b.db.Accounts().Change(t.Context(), a.ID, record.Change{IsActive: new(false), At: noon}); err != nil {
				t.Fatal(err)
			}
		}},
		"with a factor": {change: func(t *testing.T, b *bench, a *record.Account) {
			if err := b.db.Factors().ChangeFactors(t.Context(), record.FactorChange{
				User: a.ID, Add: []*record.Factor{{Type: record.FactorPasskey, Data: `{"name": "key", "credential": {}}`, Created: noon}},
			}); err != nil {
				t.Fatal(err)
			}
		}},
		"with all sessions": {change: func(t *testing.T, b *bench, a *record.Account) {
			b.clock.Advance(time.Second)
			if err := b.Sessions().EndAll(t.Context(), a.ID, "", jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
		}},
		"with the account, although it is activated again": {change: func(t *testing.T, b *bench, a *record.Account) {
			b.clock.Advance(time.Second)
			for _, active := range []bool{false, true} {
				if err := b.db.Accounts().Change(t.Context(), a.ID, record.Change{IsActive: &active, At: b.clock.Now()}); err != nil {
					t.Fatal(err)
				}
			}
		}},
		"in a browser": {client: jotgate.Client{Browser: true}},
		"when changed": {token: func(s string) string { return tamper.At(s, -5) }},
		"when cut":     {token: func(s string) string { return s[:20] }},
		"when empty":   {token: func(string) string { return "" }},
		"as another":   {token: func(s string) string { return "p2" + s[2:] }},
		"when long":    {token: func(s string) string { return s + strings.Repeat("A", 5000) }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, nil)
			alice := b.user(t, "alice", nil)
			phone, _ := b.enrol(t, alice)
			pending := b.pending(t, "alice")
			if c.change != nil {
				c.change(t, b, alice)
			}
			if c.token != nil {
				pending = c.token(pending)
			}
			_, err := b.Logins().Continue(t.Context(), pending, jotgate.TOTP(phone.at(t, b.clock.Now())), c.client)
			if !errors.Is(err, jotgate.ErrLoginNotValid) {
				t.Errorf("%v", err)
			}
			if n := b.sessions(t, alice); n != 0 {
				t.Errorf("%d sessions", n)
			}
		})
	}
	t.Run("and else it is valid", func(t *testing.T) {
		b := newGate(t, nil)
		phone, _ := b.enrol(t, b.user(t, "alice", nil))
		pending := b.pending(t, "alice")
		b.clock.Advance(15*time.Minute - time.Second)
		if _, err := b.Logins().Continue(t.Context(), pending, jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{}); err != nil {
			t.Error(err)
		}
	})
}

// A trusted browser is asked for the password alone, until anything happens that
// ends all sessions of the user or changes what it proved.
func TestTrustedBrowserEnds(t *testing.T) {
	change := func(t *testing.T, b *bench, a *record.Account, change record.Change) {
		t.Helper()
		change.At = b.clock.Now()
		if err := b.db.Accounts().Change(t.Context(), a.ID, change); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		happens func(t *testing.T, b *bench, a *record.Account)
		trusted bool
	}{
		"nothing":            {func(*testing.T, *bench, *record.Account) {}, true},
		"a month":            {func(_ *testing.T, b *bench, _ *record.Account) { b.clock.Advance(30 * 24 * time.Hour) }, false},
		"a logout":           {func(t *testing.T, b *bench, a *record.Account) { endOne(t, b, a) }, true},
		"log out everywhere": {func(t *testing.T, b *bench, a *record.Account) { endAll(t, b, a, "") }, false},
		"log out elsewhere":  {func(t *testing.T, b *bench, a *record.Account) { endAll(t, b, a, b.newest(t, a)) }, false},
		"a new password":     {func(t *testing.T, b *bench, a *record.Account) { change(t, b, a, record.Change{Password: new("x")}) }, false},
		"a new username": {func(t *testing.T, b *bench, a *record.Account) {
			change(t, b, a, record.Change{Username: new("alice2")})
		}, false},
		"deactivated, activated": {func(t *testing.T, b *bench, a *record.Account) {
			change(t, b, a, record.Change{IsActive: new(false)})
			change(t, b, a, record.Change{IsActive: new(true)})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, func(s *jotgate.Settings) { s.TrustedBrowser = 14 * 24 * time.Hour })
			alice := b.user(t, "alice", nil)
			phone, _ := b.enrol(t, alice)
			state, err := b.Logins().Continue(t.Context(), b.pending(t, "alice"), jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{})
			if err != nil || state.TrustedBrowser == "" {
				t.Fatalf("%+v, %v", state, err)
			}
			b.clock.Advance(time.Second)
			c.happens(t, b, alice)
			now, err := b.Accounts().ByID(t.Context(), alice.ID)
			if err != nil {
				t.Fatal(err)
			}
			if now.Password == "x" { // back to the one that this test knows
				if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{Password: b.encoded(t)}); err != nil {
					t.Fatal(err)
				}
			}
			again, err := b.Logins().Begin(t.Context(), jotgate.Password(now.Username, password), jotgate.Client{TrustedBrowser: state.TrustedBrowser})
			if err != nil || (again.Next == jotgate.StepDone) != c.trusted {
				t.Errorf("the next step is %q, %v", again.Next, err)
			}
		})
	}
}

func (b *bench) encoded(t testing.TB) *string {
	t.Helper()
	encoded, err := b.Accounts().MakePassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	return &encoded
}

// newest is the user's newest session.
func (b *bench) newest(t testing.TB, a *record.Account) string {
	t.Helper()
	list, err := b.Sessions().List(t.Context(), a.ID)
	if err != nil || len(list) == 0 {
		t.Fatalf("%v, %v", list, err)
	}
	return list[0].ID
}

func endOne(t *testing.T, b *bench, a *record.Account) {
	t.Helper()
	if err := b.Sessions().End(t.Context(), a.ID, b.newest(t, a), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
}

func endAll(t *testing.T, b *bench, a *record.Account, except string) {
	t.Helper()
	if err := b.Sessions().EndAll(t.Context(), a.ID, except, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
}

// The database refuses a session to a caller that does not know of the factor.
func TestSessionNeedsTheFactors(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	session := &record.Session{ID: "s", User: alice.ID, JTI: "j", Created: noon, LastSeen: noon, Expires: noon.Add(time.Hour)}
	if err := b.db.Sessions().Create(t.Context(), session, alice.Password); err != nil {
		t.Fatal(err)
	}
	b.enrol(t, alice)
	session.ID = "t"
	if err := b.db.Sessions().Create(t.Context(), session, alice.Password); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("a session without the second factor: %v", err)
	}
}
