package jotgate_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/breached"
	"github.com/jotgate/jotgate/record"
)

const leaked = "correct horse leaked"

// leakedList is a file with the passwords leaked and password.
func leakedList(t testing.TB) *breached.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "breached.bin")
	if _, err := breached.Build(name, breached.Source{Plain: true, Lines: strings.NewReader(leaked + "\n" + password + "\n")}); err != nil {
		t.Fatal(err)
	}
	list, err := breached.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = list.Close() })
	return list
}

// setters are all functions of a Gate that set a password.
var setters = map[string]func(t *testing.T, b *bench, a *record.Account, password string) error{
	"Register": func(t *testing.T, b *bench, _ *record.Account, password string) error {
		_, err := b.Register(t.Context(), jotgate.Registration{Username: "new", Password: password}, jotgate.Client{})
		return err
	},
	"SetPassword": func(t *testing.T, b *bench, a *record.Account, password string) error {
		return b.Accounts().SetPassword(t.Context(), a, password, "", jotgate.Client{})
	},
	"ResetPassword": func(t *testing.T, b *bench, a *record.Account, password string) error {
		uid, token := b.Links().Parts(record.MessagePasswordReset, a)
		_, err := b.Links().ResetPassword(t.Context(), uid, token, password, jotgate.Client{})
		return err
	},
}

const breachedText = `{"password":["This password has appeared in a data breach. Choose another one."]}`

func TestBreachedPasswords(t *testing.T) {
	for name, set := range setters {
		b := newGate(t, func(s *jotgate.Settings) { s.BreachedPasswords = leakedList(t) })
		alice := b.user(t, "alice", nil)
		if err := set(t, b, alice, leaked); says(err) != breachedText {
			t.Errorf("%s: %v", name, err)
		}
		if err := set(t, b, alice, leaked+"!"); err != nil {
			t.Errorf("%s: another password: %v", name, err)
		}
		b.login(t, b.user(t, "bob", nil).Username) // a login is not checked by this setting
	}
}

// unreadable is a list that cannot be read.
type unreadable struct{}

func (unreadable) Contains(context.Context, string) (bool, error) {
	return true, errors.New("no response")
}

// A list that cannot be read keeps nobody from setting a password or logging in.
// The audit trail shows it.
func TestUnreadableList(t *testing.T) {
	for name, set := range setters {
		b := newGate(t, func(s *jotgate.Settings) { s.BreachedPasswords, s.BreachedAtLogin = unreadable{}, unreadable{} })
		alice := b.user(t, "alice", nil)
		b.login(t, "alice")
		if err := set(t, b, alice, leaked); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		unchecked := 0
		for _, e := range b.events(t) {
			if e.Name == "password_unchecked" {
				unchecked++
			}
		}
		if unchecked != 2 {
			t.Errorf("%s: %d events, want one of the login and one of the new password", name, unchecked)
		}
	}
}

// A password that is the only factor must be longer.
func TestMinLengthWithoutMFA(t *testing.T) {
	const short, long = "horse battery!", "horse battery!!" // 14 and 15 characters
	tooShort := `{"password":["This password is too short. It must contain at least 15 characters."]}`
	for name, set := range setters {
		b := newGate(t, func(s *jotgate.Settings) { s.PasswordMinLengthWithoutMFA = 15 })
		alice := b.user(t, "alice", nil)
		if err := set(t, b, alice, short); says(err) != tooShort {
			t.Errorf("%s: 14 characters: %v", name, err)
		}
		if err := set(t, b, alice, long); err != nil {
			t.Errorf("%s: 15 characters: %v", name, err)
		}
		if name == "Register" {
			continue
		}
		bob := b.user(t, "bob", nil)
		b.enrol(t, bob)
		if err := set(t, b, bob, short); err != nil {
			t.Errorf("%s: 14 characters with a second factor: %v", name, err)
		}
		if err := set(t, b, bob, "short"); err == nil {
			t.Errorf("%s: the rules do not apply to a user with a second factor", name)
		}
	}
	if _, err := jotgate.New(jotgate.Settings{SecretKey: secret, PasswordMinLengthWithoutMFA: -1}, nil); err == nil || !strings.Contains(err.Error(), "PasswordMinLengthWithoutMFA") {
		t.Errorf("-1: %v", err)
	}
}

// loggingIn returns the state of a login with the password of all test users.
func (b *bench) loggingIn(t *testing.T, name string) jotgate.LoginState {
	t.Helper()
	state, err := b.Logins().Begin(t.Context(), jotgate.Password(name, password), jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// A login with a breached password completes after the password was replaced.
func TestBreachedPasswordAtLogin(t *testing.T) {
	list := leakedList(t)
	b := newGate(t, func(s *jotgate.Settings) { s.BreachedPasswords, s.BreachedAtLogin = list, list })
	alice := b.user(t, "alice", nil)
	state := b.loggingIn(t, "alice")
	if state.Next != jotgate.StepPassword || strings.Join(state.Flows, " ") != "password" || b.sessions(t, alice) != 0 {
		t.Fatalf("%+v, %d sessions", state, b.sessions(t, alice))
	}
	again := b.loggingIn(t, "alice")
	for _, proof := range []jotgate.Proof{jotgate.TOTP("123456"), jotgate.RecoveryCode("1-AAAAA-AAAAA"), jotgate.EnrolTOTP("a", "123456")} {
		if _, err := b.Logins().Continue(t.Context(), state.Pending, proof, jotgate.Client{}); err == nil || b.sessions(t, alice) != 0 {
			t.Errorf("%T is accepted instead of a new password: %v", proof, err)
		}
	}
	// The same password does not complete the login, and another breached one neither.
	if got, err := b.Logins().Continue(t.Context(), state.Pending, jotgate.Password("alice", password), jotgate.Client{}); b.sessions(t, alice) != 0 {
		t.Errorf("the same password once more: %+v, %v", got, err)
	}
	state = b.loggingIn(t, "alice")
	for _, bad := range []string{leaked, password, "short"} {
		if _, err := b.Logins().Continue(t.Context(), state.Pending, jotgate.NewPassword(bad), jotgate.Client{}); jotgate.AsError(err).Status != 400 {
			t.Errorf("%q: %v", bad, err)
		}
	}
	done, err := b.Logins().Continue(t.Context(), state.Pending, jotgate.NewPassword("a brand new pass 77"), jotgate.Client{})
	if err != nil || done.Next != jotgate.StepDone || done.Tokens.Access == "" || b.sessions(t, alice) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	for _, old := range []string{state.Pending, again.Pending} {
		if _, err := b.Logins().Continue(t.Context(), old, jotgate.NewPassword("a third password 1"), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
			t.Errorf("a login from before the change: %v", err)
		}
	}
	if _, err := b.Login(t.Context(), "alice", "a brand new pass 77", jotgate.Client{}); err != nil {
		t.Error(err)
	}
	if _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoActiveAccount) {
		t.Errorf("the old password: %v", err)
	}
}

// A new password does not pass the second factor.
func TestBreachedPasswordAndSecondFactor(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.BreachedAtLogin = leakedList(t) })
	alice := b.user(t, "alice", nil)
	phone, codes := b.enrol(t, alice)
	before := b.sessions(t, alice)
	first := b.pending(t, "alice")
	if _, err := b.Logins().Continue(t.Context(), first, jotgate.NewPassword("a brand new pass 77"), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) || b.sessions(t, alice) != before {
		t.Fatalf("a new password in place of a code: %v", err)
	}
	state, err := b.Logins().Continue(t.Context(), first, jotgate.TOTP(phone.at(t, b.clock.Now())), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepPassword || b.sessions(t, alice) != before {
		t.Fatalf("%+v, %v", state, err)
	}
	if _, err := b.Logins().Continue(t.Context(), first, jotgate.RecoveryCode(codes[0]), jotgate.Client{}); !errors.Is(err, jotgate.ErrLoginNotValid) {
		t.Errorf("the token of the step before: %v", err)
	}
	state, err = b.Logins().Continue(t.Context(), state.Pending, jotgate.NewPassword("a brand new pass 77"), jotgate.Client{})
	if err != nil || state.Next != jotgate.StepDone || b.sessions(t, alice) != 1 {
		t.Fatalf("%+v, %v, %d sessions", state, err, b.sessions(t, alice))
	}
	if user, err := b.VerifyAccess(state.Tokens.Access); err != nil || user.ACR() != "aal2" || strings.Join(user.AMR(), " ") != "pwd otp mfa" {
		t.Errorf("%+v, %v", user, err)
	}
}

// Of concurrent new passwords in one login, one wins.
func TestNewPasswordRace(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.BreachedAtLogin = leakedList(t) })
	alice := b.user(t, "alice", nil)
	for round := range 10 {
		state := b.loggingIn(t, "alice")
		results := make(chan error, 8)
		for range 8 {
			go func() {
				_, err := b.Logins().Continue(t.Context(), state.Pending, jotgate.NewPassword("a brand new pass 77"), jotgate.Client{})
				results <- err
			}()
		}
		won := 0
		for range 8 {
			if err := <-results; err == nil {
				won++
			} else if !errors.Is(err, jotgate.ErrLoginNotValid) {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if won != 1 || b.sessions(t, alice) != 1 {
			t.Fatalf("round %d: %d won, %d sessions", round, won, b.sessions(t, alice))
		}
		encoded, err := b.Accounts().MakePassword(t.Context(), password)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.db.Accounts().Change(t.Context(), alice.ID, record.Change{Password: &encoded, EndSessions: record.EndedByPassword, At: b.clock.Now()}); err != nil {
			t.Fatal(err)
		}
	}
}
