package jotgate_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

func TestLogin(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", func(a *record.Account) { a.IsStaff = true })
	tokens := b.login(t, "alice")
	want := []string{"token_type", "exp", "iat", "jti", "user_id", "sid", "username", "email", "role"}
	if diff := cmp.Diff(want, claims(t, tokens.Access)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[:6], claims(t, tokens.Refresh)); diff != "" {
		t.Error(diff)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	if user.ID != "1" || user.Username != "alice" || user.Email != "alice@example.com" || !user.IsStaff() || user.IsSuperuser() {
		t.Errorf("%+v", user)
	}
	if got := user.Expires(); !got.Equal(noon.Add(5 * time.Minute)) {
		t.Errorf("expires %v", got)
	}
	if tokens.User.ID != user.ID || tokens.User.Role != user.Role {
		t.Errorf("the answer names %+v", tokens.User)
	}
}

func TestRefusedLoginsAreAlike(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	b.user(t, "bob", func(a *record.Account) { a.IsActive = false })
	b.user(t, "dave", func(a *record.Account) { a.Password = passwd.Unusable() })
	b.user(t, "eve", func(a *record.Account) { a.Password = "pbkdf2_sha256$x$y$z" })
	for _, c := range []struct{ name, username, password, reason string }{
		{"wrong password", "alice", "x", "wrong password"},
		{"empty password", "alice", "", "wrong password"},
		{"unknown user", "nobody", password, "no such account"},
		{"another case", "Alice", password, "no such account"},
		{"inactive user", "bob", password, "inactive"},
		{"inactive user with a wrong password", "bob", "x", "wrong password, inactive"},
		{"unusable password", "dave", password, "no usable password"},
		{"broken hash", "eve", password, "wrong password"},
		{"very long name", strings.Repeat("a", 5000), password, "no such account"},
		{"very long password", "alice", strings.Repeat("a", 5000), "wrong password"},
	} {
		if _, err := b.Login(t.Context(), c.username, c.password, jotgate.Client{}); err == nil || !errors.Is(err, jotgate.ErrNoActiveAccount) {
			t.Errorf("%s: %v", c.name, err)
		}
		// The operator sees the reason; a response never contains it.
		events, err := b.db.Events().List(t.Context(), "", 0, 1)
		if err != nil || len(events) != 1 || events[0].Name != "login_failed" || events[0].Detail != c.reason {
			t.Errorf("%s: %+v, %v; want %q", c.name, events, err, c.reason)
		}
	}
}

func TestDeactivatedAndDeleted(t *testing.T) {
	for name, shut := range map[string]func(*bench, context.Context, record.UserID) error{
		"deactivated": func(b *bench, ctx context.Context, id record.UserID) error {
			off := false
			return b.db.Accounts().Change(ctx, id, record.Change{IsActive: &off, At: noon})
		},
		"deleted": func(b *bench, ctx context.Context, id record.UserID) error { return b.db.Accounts().Delete(ctx, id) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newGate(t, nil)
			alice := b.user(t, "alice", nil)
			tokens := b.login(t, "alice")
			user, err := b.VerifyAccess(tokens.Access)
			if err != nil {
				t.Fatal(err)
			}
			if err := shut(b, t.Context(), alice.ID); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Accounts().Of(t.Context(), user); err == nil {
				t.Error("the account opens the protected view")
			}
			if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); err == nil {
				t.Error("the refresh token works")
			}
			if _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); !errors.Is(err, jotgate.ErrNoActiveAccount) {
				t.Errorf("login: %v", err)
			}
		})
	}
}

func TestUpgradeAtLogin(t *testing.T) {
	var said capture.Output
	b := newGate(t, func(s *jotgate.Settings) { s.Logger = slog.New(slog.NewTextHandler(&said, nil)) })
	old, err := passwd.New("pbkdf2_sha256:50")
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := old.Make(password)
	if err != nil {
		t.Fatal(err)
	}
	alice := b.user(t, "alice", func(a *record.Account) { a.Password = encoded })
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	after, err := b.db.Accounts().ByID(t.Context(), alice.ID)
	if err != nil || !strings.HasPrefix(after.Password, "pbkdf2_sha256$100$") {
		t.Errorf("%v %v", after, err)
	}
	if strings.Contains(said.String(), "not upgraded") {
		t.Errorf("complains of a hash that was upgraded: %s", said.String())
	}
}

// A gate that is too busy to compare a password says so; it does not say that
// the password is wrong.
func TestBusyIsNotWrong(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) {
		s.HashConcurrency, s.HashQueue = 1, 1
		if s.Hasher, _ = passwd.New("pbkdf2_sha256:50000"); s.Hasher == nil {
			t.Fatal("no hasher")
		}
	})
	b.user(t, "alice", nil)
	var busy, right atomic.Int64
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			switch _, err := b.Logins().Check(t.Context(), "alice", password); {
			case err == nil:
				right.Add(1)
			case errors.Is(err, jotgate.ErrBusy):
				busy.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if busy.Load() == 0 || right.Load() == 0 {
		t.Errorf("%d were let in, %d told to come back", right.Load(), busy.Load())
	}
}

func TestSecretsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*jotgate.Settings){
		"none":             func(s *jotgate.Settings) { s.SecretKey = "" },
		"short":            func(s *jotgate.Settings) { s.SecretKey = jotgate.Secret(secret[:31]) },
		"short fallback":   func(s *jotgate.Settings) { s.SecretKeyFallbacks = []jotgate.Secret{"x"} },
		"leeway":           func(s *jotgate.Settings) { s.Leeway = time.Hour },
		"lifetimes":        func(s *jotgate.Settings) { s.RefreshTokenLifetime = time.Minute },
		"unknown claim":    func(s *jotgate.Settings) { s.Claims = []string{"password"} },
		"unknown limit":    func(s *jotgate.Settings) { s.HashLimits = []string{"md5:1"} },
		"limit too low":    func(s *jotgate.Settings) { s.HashLimits = []string{"argon2:m=1024"} },
		"unknown id field": func(s *jotgate.Settings) { s.UserIDField = "email" },
	} {
		s := jotgate.Settings{SecretKey: secret}
		if _, err := jotgate.New(s, nil); err != nil {
			t.Fatal(err)
		}
		change(&s)
		if _, err := jotgate.New(s, nil); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(secret[:20]), InsecureShortSecret: true}, nil); err != nil {
		t.Errorf("a short secret, waived: %v", err)
	}
}

func TestSecretKeyFallbacks(t *testing.T) {
	before := newGate(t, nil)
	before.user(t, "alice", nil)
	tokens := before.login(t, "alice")
	const fresh = "another-secret-key-another-secret-key-another-secret-key-9876"
	after := gateOn(t, before.db, func(s *jotgate.Settings) {
		s.SecretKey, s.SecretKeyFallbacks = fresh, []jotgate.Secret{secret}
	})
	if _, err := after.VerifyAccess(tokens.Access); err != nil {
		t.Errorf("access: %v", err)
	}
	next, err := after.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
	if err != nil {
		t.Fatalf("refresh: %v", err)
	}
	if _, err := before.VerifyAccess(next.Access); err == nil {
		t.Error("the new token is signed with the old secret")
	}
	without := gateOn(t, before.db, func(s *jotgate.Settings) { s.SecretKey = fresh })
	if _, err := without.VerifyAccess(tokens.Access); err == nil {
		t.Error("the old secret verifies without being a fallback")
	}
}

func TestVerifyingNeedsNoDatabase(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	b.db.Close()
	if w := get(b.Guard, "Authorization", "Bearer "+tokens.Access); w.Code != 200 {
		t.Errorf("the gate closed with the database: %d %s", w.Code, w.Body)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"account": func() error { _, err := b.Accounts().Of(t.Context(), user); return err },
		"refresh": func() error { _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); return err },
		"logout":  func() error { return b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}) },
		"login":   func() error { _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); return err },
	} {
		if err := call(); !errors.Is(err, jotgate.ErrUnavailable) {
			t.Errorf("%s without a database: %v", name, err)
		}
	}
}
