package jotgate_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// clock is a clock that stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a gate on a new SQLite database, with a clock at noon.
type bench struct {
	*jotgate.Gate
	db    *store.Store
	clock *clock
}

// fast is a hasher for tests: sound, and cheap.
func fast(t testing.TB) *passwd.Hasher {
	t.Helper()
	h, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func newGate(t testing.TB, change func(*jotgate.Settings)) *bench {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return gateOn(t, db, change)
}

func gateOn(t testing.TB, db *store.Store, change func(*jotgate.Settings)) *bench {
	t.Helper()
	c := &clock{now: noon}
	s := jotgate.Settings{
		SecretKey: secret, Hasher: fast(t), Now: c.Now,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&s)
	}
	gate, err := jotgate.New(s, db)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{gate, db, c}
}

const password = "correct horse battery"

// user makes an account with the password.
func (b *bench) user(t testing.TB, name string, change func(*jotgate.Account)) *jotgate.Account {
	t.Helper()
	encoded, err := b.MakePassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	a := &jotgate.Account{Username: name, Email: name + "@example.com", Password: encoded, IsActive: true, DateJoined: noon}
	if change != nil {
		change(a)
	}
	if err := b.db.CreateAccount(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) login(t testing.TB, name string) jotgate.Tokens {
	t.Helper()
	tokens, err := b.Login(t.Context(), name, password, jotgate.Client{Address: "192.0.2.1", UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// claims reads a token's claims in order.
func claims(t testing.TB, token string) []string {
	t.Helper()
	_, payload, err := jwt.DecodeUnverified(token)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range payload.Members() {
		names = append(names, m.Name)
	}
	return names
}

func TestLogin(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", func(a *jotgate.Account) { a.IsStaff = true })
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
	b.user(t, "bob", func(a *jotgate.Account) { a.IsActive = false })
	b.user(t, "dave", func(a *jotgate.Account) { a.Password = passwd.Unusable() })
	b.user(t, "eve", func(a *jotgate.Account) { a.Password = "pbkdf2_sha256$x$y$z" })
	for _, c := range []struct{ name, username, password string }{
		{"wrong password", "alice", "x"},
		{"empty password", "alice", ""},
		{"unknown user", "nobody", password},
		{"another case", "Alice", password},
		{"inactive user", "bob", password},
		{"unusable password", "dave", password},
		{"broken hash", "eve", password},
		{"very long name", strings.Repeat("a", 5000), password},
		{"very long password", "alice", strings.Repeat("a", 5000)},
	} {
		if _, err := b.Login(t.Context(), c.username, c.password, jotgate.Client{}); err == nil || !errors.Is(err, jotgate.ErrNoActiveAccount) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestRefreshRotates(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	first := b.login(t, "alice")
	b.clock.Advance(time.Minute)
	second, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if second.Refresh == first.Refresh || second.Access == first.Access {
		t.Error("the tokens are the old ones")
	}
	if _, err := b.VerifyAccess(second.Access); err != nil {
		t.Error(err)
	}
	again, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{})
	if err != nil || again.Refresh != second.Refresh {
		t.Errorf("a retry within the grace time: %v, same token %v", err, again.Refresh == second.Refresh)
	}
	b.clock.Advance(11 * time.Second)
	if _, err := b.Refresh(t.Context(), first.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenReused) {
		t.Errorf("reuse: %v", err)
	}
	if _, err := b.Refresh(t.Context(), second.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("the winner after reuse: %v", err)
	}
	if _, err := b.VerifyAccess(second.Access); err == nil {
		t.Error("an access token outlives its session")
	}
}

func TestKeepRefreshTokens(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.KeepRefreshTokens = true })
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	for range 3 {
		b.clock.Advance(time.Hour)
		got, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
		if err != nil || got.Refresh != "" || got.Access == "" {
			t.Fatalf("%+v %v", got, err)
		}
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("after logout: %v", err)
	}
}

func TestRefreshRefuses(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	sign := func(change func(map[string]any)) string {
		return accessToken(t, func(c map[string]any) {
			c["token_type"], c["user_id"] = "refresh", string(alice.ID)
			delete(c, "sid") // as Django issues it
			if change != nil {
				change(c)
			}
		})
	}
	if _, err := b.Refresh(t.Context(), sign(nil), jotgate.Client{}); err != nil {
		t.Fatalf("a refresh token that Django issued: %v", err)
	}
	for _, c := range []struct {
		name  string
		token string
		want  string
	}{
		{"an access token", sign(func(c map[string]any) { c["token_type"] = "access" }), "Token has wrong type"},
		{"expired", sign(func(c map[string]any) { c["exp"] = noon.Unix() }), "Token is expired"},
		{"no jti", sign(func(c map[string]any) { delete(c, "jti") }), "Token has no id"},
		{"jti a number", sign(func(c map[string]any) { c["jti"] = 5 }), "Token is invalid"},
		{"jti too long", sign(func(c map[string]any) { c["jti"] = strings.Repeat("a", 256) }), "Token is invalid"},
		{"unknown user", sign(func(c map[string]any) { c["jti"], c["user_id"] = "new", "99" }), "No active account found for the given token."},
		{"no user", sign(func(c map[string]any) { c["jti"] = "new2"; delete(c, "user_id") }), "No active account found for the given token."},
		{"a session that never was", sign(func(c map[string]any) { c["sid"] = strings.Repeat("0", 32) }), "Token is blacklisted"},
		{"garbage", "x", "Token is invalid"},
	} {
		_, err := b.Refresh(t.Context(), c.token, jotgate.Client{})
		if err == nil || jotgate.AsError(err).Detail != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Claims that a serializer of Django added travel on; jotgate's own are made
// anew.
func TestRefreshHandsCustomClaimsOn(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	token := accessToken(t, func(c map[string]any) {
		c["token_type"], c["user_id"], c["tenant"], c["n"] = "refresh", string(alice.ID), "acme", []int{1, 2}
		c["username"] = "forged"
		delete(c, "sid")
	})
	tokens, err := b.Refresh(t.Context(), token, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	tenant, _ := user.Claim("tenant")
	n, _ := user.Claim("n")
	if tenant != `"acme"` || n != "[1,2]" || user.Username != "alice" {
		t.Errorf("tenant %s, n %s, username %s", tenant, n, user.Username)
	}
}

func TestLogoutStopsEveryToken(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	one, two := b.login(t, "alice"), b.login(t, "alice")
	if err := b.Logout(t.Context(), one.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(one.Access); !errors.Is(err, jotgate.ErrTokenInvalid) && err == nil {
		t.Error("the access token lives on")
	}
	if _, err := b.Refresh(t.Context(), one.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("refresh after logout: %v", err)
	}
	if err := b.Logout(t.Context(), one.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("second logout: %v", err)
	}
	if _, err := b.VerifyAccess(two.Access); err != nil {
		t.Errorf("the other session: %v", err)
	}
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	b := newGate(t, nil)
	alice, mallory := b.user(t, "alice", nil), b.user(t, "mallory", nil)
	first, second, third := b.login(t, "alice"), b.login(t, "alice"), b.login(t, "alice")
	list, err := b.Sessions(t.Context(), alice.ID)
	if err != nil || len(list) != 3 || list[0].Address != "192.0.2.1" || list[0].UserAgent != "test" {
		t.Fatalf("%+v %v", list, err)
	}
	sid := func(tokens jotgate.Tokens) string { return tokens.User.Session }
	if err := b.EndSession(t.Context(), mallory.ID, sid(first), jotgate.Client{}); !errors.Is(err, jotgate.ErrNotFound) {
		t.Errorf("somebody else's session: %v", err)
	}
	if err := b.EndSession(t.Context(), alice.ID, sid(first), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if err := b.EndSessions(t.Context(), alice.ID, sid(third), jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tokens jotgate.Tokens
		lives  bool
	}{"ended": {first, false}, "another": {second, false}, "kept": {third, true}} {
		if _, err := b.VerifyAccess(c.tokens.Access); (err == nil) != c.lives {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDeactivatedAndDeleted(t *testing.T) {
	for name, shut := range map[string]func(*bench, context.Context, jotgate.UserID) error{
		"deactivated": func(b *bench, ctx context.Context, id jotgate.UserID) error {
			off := false
			return b.db.ChangeAccount(ctx, id, jotgate.AccountChange{IsActive: &off, At: noon})
		},
		"deleted": func(b *bench, ctx context.Context, id jotgate.UserID) error { return b.db.DeleteAccount(ctx, id) },
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
			if _, err := b.Account(t.Context(), user); err == nil {
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

func TestCheckRevokeToken(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.CheckRevokeToken = true })
	alice := b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	if got := claims(t, tokens.Access)[5]; got != "hash_password" {
		t.Errorf("claim 5 is %s", got)
	}
	user, err := b.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Account(t.Context(), user); err != nil {
		t.Errorf("before the change: %v", err)
	}
	encoded, _ := b.MakePassword(t.Context(), "another fine password 9")
	if err := b.db.ChangeAccount(t.Context(), alice.ID, jotgate.AccountChange{Password: &encoded}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Account(t.Context(), user); !errors.Is(err, jotgate.ErrPasswordChanged) {
		t.Errorf("after it: %v", err)
	}
	_, err = b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{})
	if err == nil || jotgate.AsError(err).Detail != jotgate.ErrPasswordChanged.Detail {
		t.Errorf("refresh: %v", err)
	}
	if _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("second refresh: %v", err)
	}
}

// An outdated hash is replaced at login, and two first logins at once both
// succeed although only one replaces it.
func TestUpgradeAtLogin(t *testing.T) {
	b := newGate(t, nil)
	old, err := passwd.New("pbkdf2_sha256:50")
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := old.Make(password)
	if err != nil {
		t.Fatal(err)
	}
	alice := b.user(t, "alice", func(a *jotgate.Account) { a.Password = encoded })
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	after, err := b.db.AccountByID(t.Context(), alice.ID)
	if err != nil || !strings.HasPrefix(after.Password, "pbkdf2_sha256$100$") {
		t.Errorf("%v %v", after, err)
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

// A token made under the old secret opens while it is a fallback.
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

// Verifying a token asks the database nothing: it goes on when the database
// is gone, while whatever must look an account up is refused.
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
		"account": func() error { _, err := b.Account(t.Context(), user); return err },
		"refresh": func() error { _, err := b.Refresh(t.Context(), tokens.Refresh, jotgate.Client{}); return err },
		"logout":  func() error { return b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}) },
		"login":   func() error { _, err := b.Login(t.Context(), "alice", password, jotgate.Client{}); return err },
	} {
		if err := call(); !errors.Is(err, jotgate.ErrUnavailable) {
			t.Errorf("%s without a database: %v", name, err)
		}
	}
}
