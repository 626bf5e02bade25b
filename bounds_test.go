package jotgate

// Limits at which a small difference changes the result, and behavior that is
// visible only inside the package.

import (
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

func TestHashPoolDefaults(t *testing.T) {
	width := max(1, runtime.GOMAXPROCS(0)-1)
	for _, c := range []struct {
		width, queue  int
		memory        int64
		places, total int64
	}{
		{0, 0, 0, int64(65 * width), 256 << 20},
		{-1, -1, -1, int64(65 * width), 256 << 20},
		{1, 0, 1, 65, 1},
		{3, 0, 5, 195, 5},
		{1, 1, 1, 2, 1},
		{2, 5, 7, 7, 7},
	} {
		if l := newHashPool(c.width, c.queue, c.memory); l.limit != c.places || l.total != c.total {
			t.Errorf("newHashPool(%d, %d, %d) has %d places and %d bytes", c.width, c.queue, c.memory, l.limit, l.total)
		}
	}
}

// A call beyond the concurrency and the queue gets ErrBusy; a hash larger than the memory runs alone.
func TestHashPoolIsFull(t *testing.T) { synctest.Test(t, hashPoolIsFull) }

func hashPoolIsFull(t *testing.T) {
	l := newHashPool(2, 1, 100)
	inside, leave := make(chan bool), make(chan bool)
	results := make(chan error)
	enter := func(bytes int64) {
		go func() { results <- l.do(t.Context(), bytes, func() { inside <- true; <-leave }) }()
	}
	enter(50)
	enter(50)
	<-inside
	<-inside
	enter(1000) // waits for a slot, and then for all of the memory
	synctest.Wait()
	if err := l.do(t.Context(), 1, func() { t.Error("a fourth one hashes") }); !errors.Is(err, ErrBusy) {
		t.Errorf("a full hash pool: %v", err)
	}
	if got := l.pending.Load(); got != 3 {
		t.Errorf("%d are counted after one was turned away", got)
	}
	leave <- true
	synctest.Wait()
	select {
	case <-inside:
		t.Error("the large one runs beside another")
	default:
	}
	leave <- true
	<-inside
	leave <- true
	for range 3 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := l.pending.Load(); got != 0 {
		t.Errorf("%d are counted when all have left", got)
	}
}

func TestSettingsBounds(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Settings)
		want   string // of the error; "" for none
	}{
		"defaults":              {func(*Settings) {}, ""},
		"no secret":             {func(s *Settings) { s.SecretKey = "" }, "SecretKey is empty"},
		"a second":              {func(s *Settings) { s.AccessTokenLifetime = time.Second }, ""},
		"under a second":        {func(s *Settings) { s.AccessTokenLifetime = time.Second - 1 }, "under a second"},
		"both as long":          {func(s *Settings) { s.AccessTokenLifetime, s.RefreshTokenLifetime = time.Hour, time.Hour }, ""},
		"refresh shorter":       {func(s *Settings) { s.AccessTokenLifetime, s.RefreshTokenLifetime = time.Hour, time.Hour-1 }, "shorter"},
		"keys for an hour":      {func(s *Settings) { s.KeyRotation = time.Hour }, ""},
		"keys for less":         {func(s *Settings) { s.KeyRotation = time.Hour - 1 }, "under an hour"},
		"user by name":          {func(s *Settings) { s.UserIDField = "username" }, ""},
		"user by address":       {func(s *Settings) { s.UserIDField = "email" }, "UserIDField"},
		"every claim":           {func(s *Settings) { s.Claims = []string{"username", "email", "role", "groups", "permissions"} }, ""},
		"a claim it has not":    {func(s *Settings) { s.Claims = []string{"username", "phone"} }, `"phone"`},
		"no claims":             {func(s *Settings) { s.Claims = []string{} }, ""},
		"negative key rotation": {func(s *Settings) { s.KeyRotation = -1 }, "under an hour"},
	} {
		s := Settings{SecretKey: "0123456789abcdefghijklmnopqrstuvwxyz"}
		c.change(&s)
		if err := s.fill(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	var s Settings
	_ = s.fill()
	if s.AccessTokenLifetime != 5*time.Minute || s.RefreshTokenLifetime != 24*time.Hour || s.RefreshGrace != 10*time.Second ||
		s.PasswordResetTimeout != 72*time.Hour || s.RevocationMaxAge != 10*time.Second || s.EventRetention != 90*24*time.Hour ||
		len(s.HeaderTypes) != 2 || len(s.PasswordRules) != 4 || len(s.Claims) != 3 || s.Now == nil {
		t.Errorf("the defaults are %+v", s)
	}
	own := Settings{RefreshGrace: -1, HeaderTypes: []string{"JWT"}, Claims: []string{}, Now: func() time.Time { return time.Time{} }}
	if _ = own.fill(); own.RefreshGrace != 0 || own.HeaderTypes[0] != "JWT" || len(own.Claims) != 0 || !own.Now().IsZero() {
		t.Errorf("settings of one's own become %+v", own)
	}
}

// A revocation is kept as long as a token may be accepted, including the
// leeway.
func TestRevocationsOutliveTokens(t *testing.T) {
	g, err := New(Settings{SecretKey: "0123456789abcdefghijklmnopqrstuvwxyz", Leeway: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if sessions, _ := g.revoked.Lifetimes(); sessions != 361 {
		t.Errorf("kept for %d seconds", sessions)
	}
}

// A new key is published for the lifetimes of two cached JWKS responses, one
// after the other.
func TestKeyPublishTime(t *testing.T) {
	if jwksMaxAge != 5*time.Minute || KeyPublishTime != 10*time.Minute {
		t.Errorf("answers are cached for %v, keys published for %v", jwksMaxAge, KeyPublishTime)
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"abé", 4, "abé"}, {"abé", 3, "ab"}, {"é", 1, ""}} {
		if got := cut(c.in, c.n); got != c.want {
			t.Errorf("cut(%q, %d) = %q", c.in, c.n, got)
		}
	}
}

// CustomClaims cannot set the claims that jotgate writes; which those are
// depends on the settings.
func TestOwnClaims(t *testing.T) {
	g := &Gate{settings: Settings{Claims: []string{"username"}, UserIDClaim: "uid", RevokeTokenClaim: "hash"}}
	for name, want := range map[string]bool{
		"token_type": true, "exp": true, "iat": true, "nbf": true, "jti": true, "sid": true, "aud": true, "iss": true,
		"username": true, "uid": true, "email": false, "user_id": false, "hash": false, "": false,
	} {
		if got := g.isOwnClaim(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
	g.settings.CheckRevokeToken = true
	if !g.isOwnClaim("hash") || g.isOwnClaim("other") {
		t.Error("the claim about the password is not its own, or another is")
	}
	merged := merge(jwt.Object{{"a", 1}}, jwt.Object{{"a", 2}, {"b", 2}}, jwt.Object{{"b", 3}, {"c", 3}})
	if len(merged) != 3 || merged[0].Value != 1 || merged[1].Value != 2 || merged[2].Value != 3 {
		t.Errorf("merged: %v", merged)
	}
}

func TestSecretErrorsNameTheSecret(t *testing.T) {
	const good = "0123456789abcdefghijklmnopqrstuvwxyz"
	for _, c := range []struct {
		secret    Secret
		fallbacks []Secret
		want      string
	}{
		{"short", nil, "SecretKey: "},
		{good, []Secret{"short"}, "SecretKeyFallbacks[0]: "},
		{good, []Secret{good + "x", "short"}, "SecretKeyFallbacks[1]: "},
	} {
		if _, err := newKeys(&Settings{SecretKey: c.secret, SecretKeyFallbacks: c.fallbacks}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A cached token is valid exactly as long as the token itself.
func TestGoodAt(t *testing.T) {
	user := &User{stamp: stamp{issued: 1000, notBefore: 1000, expires: 2000}}
	later := &User{stamp: stamp{issued: 1000, notBefore: 1500, expires: 2000}}
	for _, c := range []struct {
		user        *User
		now, leeway int64
		want        bool
	}{
		{user, 999, 0, false},
		{user, 1000, 0, true},
		{user, 1999, 0, true},
		{user, 2000, 0, false},
		{user, 994, 5, false},
		{user, 995, 5, true},
		{user, 2004, 5, true},
		{user, 2005, 5, false},
		{later, 1499, 0, false},
		{later, 1500, 0, true},
		{later, 1494, 5, false},
		{later, 1495, 5, true},
	} {
		if got := c.user.goodAt(c.now, c.leeway); got != c.want {
			t.Errorf("%+v at %d, leeway %d: %v", c.user, c.now, c.leeway, got)
		}
	}
}

// When the younger generation is full, the older is dropped, so that at least
// half of the size is cached, and never more than all of it.
func TestMemoryHalves(t *testing.T) {
	if newMemory(0, 0) != nil || newMemory(-1, 0) != nil || newMemory(1, 90*time.Second).leeway != 90 {
		t.Error("a memory without room, or with another leeway")
	}
	keys := new(jwt.KeySet)
	for _, size := range []int{1, 2, 10, 101} {
		m, half := newMemory(size, 0), (size+1)/2
		for n := range 1000 {
			m.add(strconv.Itoa(n), &User{stamp: stamp{issued: 1, notBefore: 1, expires: 3}}, keys)
			if len(m.young)+len(m.old) > 2*half {
				t.Fatalf("size %d: %d are remembered", size, len(m.young)+len(m.old))
			}
			if n >= half && m.recall(strconv.Itoa(n-half), keys, time.Unix(2, 0)) == nil {
				t.Fatalf("size %d: %d is forgotten when %d was added", size, n-half, n)
			}
		}
		if m.recall("999", new(jwt.KeySet), time.Unix(2, 0)) != nil || m.recall("0", keys, time.Unix(2, 0)) != nil {
			t.Errorf("size %d: remembered under other keys, or for ever", size)
		}
	}
}
