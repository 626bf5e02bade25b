package jotgate_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

const secret = "golden-secret-key-golden-secret-key-golden-secret-key-0123456789"

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// key is the HS256 key of secret.
func key(t testing.TB) *jwt.Key {
	t.Helper()
	k, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// newGuard returns a guard with the clock at noon.
func newGuard(t testing.TB, change func(*jotgate.GuardSettings)) *jotgate.Guard {
	t.Helper()
	s := jotgate.GuardSettings{Keys: key(t), Now: func() time.Time { return noon }}
	if change != nil {
		change(&s)
	}
	guard, err := jotgate.NewGuard(s)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

// accessToken signs the claims of a valid access token after change.
func accessToken(t testing.TB, change func(claims map[string]any)) string {
	t.Helper()
	claims := map[string]any{
		"token_type": "access", "exp": noon.Unix() + 300, "iat": noon.Unix(), "jti": "0123456789abcdef0123456789abcdef",
		"user_id": "7", "sid": "00112233445566778899aabbccddeeff", "username": "alice", "email": "alice@example.com",
		"role": map[string]any{"id": "staff", "display_name": "Staff", "role_type": "staff"},
	}
	if change != nil {
		change(claims)
	}
	token, err := jwt.Sign(key(t), claims)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// get sends a GET through a handler guarded by guard, which responds with the
// username.
func get(guard *jotgate.Guard, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "/", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	guard.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		_ = json.NewEncoder(w).Encode(user)
	})).ServeHTTP(w, r)
	return w
}

func TestRequireOpensForAGoodToken(t *testing.T) {
	guard := newGuard(t, nil)
	for _, scheme := range []string{"Bearer ", "Token ", "Bearer  ", " Bearer\t", "Bearer\r", "Bearer\v\n"} {
		w := get(guard, "Authorization", scheme+accessToken(t, nil))
		const want = `{"id":7,"username":"alice","email":"alice@example.com","role":{"id":"staff","display_name":"Staff","role_type":"staff"}}`
		if got := strings.TrimSpace(w.Body.String()); w.Code != 200 || got != want {
			t.Errorf("%q: %d %s", scheme, w.Code, got)
		}
	}
}

// Each rejected token differs from the valid one in one point.
func TestRequireRefuses(t *testing.T) {
	guard := newGuard(t, nil)
	good := accessToken(t, nil)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "TOKEN\t", " tOkEn  "} {
		if get(guard, "Authorization", scheme+good).Code != 200 {
			t.Fatalf("the good token after %q is rejected", scheme)
		}
	}
	invalid := func(message string) string {
		return `{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"` + message + `"}]}`
	}
	bearer := func(token string) []string { return []string{"Authorization", "Bearer " + token} }
	set := func(name string, value any) []string {
		return bearer(accessToken(t, func(c map[string]any) { c[name] = value }))
	}
	without := func(name string) []string {
		return bearer(accessToken(t, func(c map[string]any) { delete(c, name) }))
	}
	const (
		none      = `{"detail":"Authentication credentials were not provided."}`
		badHeader = `{"detail":"Authorization header must contain two space-delimited values","code":"bad_authorization_header"}`
		notFound  = `{"detail":"User not found","code":"user_not_found"}`
	)
	other := strings.Map(func(r rune) rune {
		if r == 'A' {
			return 'B'
		}
		return r
	}, good[len(good)-10:])
	for _, c := range []struct {
		name   string
		header []string
		body   string
	}{
		{"no header", nil, none},
		{"a letter that folds to ASCII", []string{"Authorization", "To\u212aen " + good}, none},
		{"another scheme", []string{"Authorization", "Basic " + good}, none},
		{"token in another header", []string{"X-Authorization", "Bearer " + good}, none},
		{"no white space of Python's", []string{"Authorization", "Bearer\x0e" + good}, none},
		{"scheme alone", []string{"Authorization", "Bearer"}, badHeader},
		{"three words", []string{"Authorization", "Bearer " + good + " x"}, badHeader},
		{"sent twice", []string{"Authorization", "Bearer " + good, "Authorization", "Bearer " + good}, badHeader},
		{"two joined", []string{"Authorization", "Bearer " + good + ", Bearer " + good}, badHeader},
		{"white space that is none of Python's, behind", bearer(good + "\u00a0"), invalid("Token is invalid")},
		{"white space that is none of Python's, before", []string{"Authorization", "\u00a0Bearer " + good}, none},
		{"changed signature", bearer(good[:len(good)-10] + other + "x"), invalid("Token is invalid")},
		{"alg none", bearer("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0" + good[strings.Index(good, "."):]), invalid("Token is invalid")},
		{"expired", set("exp", noon.Unix()), invalid("Token is expired")},
		{"exp a word", set("exp", "soon"), invalid("Token is invalid")},
		{"no exp", without("exp"), invalid("Token has no 'exp' claim")},
		{"from the future", set("iat", noon.Unix()+1), invalid("Token is invalid")},
		{"a refresh token", set("token_type", "refresh"), invalid("Token has wrong type")},
		{"no type", without("token_type"), invalid("Token has no type")},
		{"no jti", without("jti"), invalid("Token has no id")},
		{"for somebody else", set("aud", "other"), invalid("Token is invalid")},
		{"no user", without("user_id"), `{"detail":"Token contained no recognizable user identification","code":"token_not_valid"}`},
		{"user null", set("user_id", nil), notFound},
		{"user true", set("user_id", true), notFound},
		{"user a fraction", set("user_id", 1.5), notFound},
		{"user empty", set("user_id", ""), notFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := get(guard, c.header...)
			if w.Code != 401 || w.Body.String() != c.body {
				t.Errorf("got %d %s\nwant 401 %s", w.Code, w.Body, c.body)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != `Bearer realm="api"` {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func TestUserIDMayBeANumber(t *testing.T) {
	guard := newGuard(t, nil)
	for _, id := range []any{7, "7"} {
		user, err := guard.VerifyAccess(accessToken(t, func(c map[string]any) { c["user_id"] = id }))
		if err != nil || user.ID != "7" {
			t.Errorf("%v: %v %v", id, user, err)
		}
	}
}

func TestUserIDClaim(t *testing.T) {
	guard := newGuard(t, func(s *jotgate.GuardSettings) { s.UserIDClaim = "sub" })
	user, err := guard.VerifyAccess(accessToken(t, func(c map[string]any) { c["sub"] = "alice" }))
	if err != nil || user.ID != "alice" {
		t.Errorf("%v %v", user, err)
	}
	if _, err := guard.VerifyAccess(accessToken(t, nil)); !errors.Is(err, jotgate.ErrNoUserClaim) {
		t.Errorf("without sub: %v", err)
	}
}

func TestHeaderSettings(t *testing.T) {
	const metadata = "https://api.example/.well-known/oauth-protected-resource"
	guard := newGuard(t, func(s *jotgate.GuardSettings) {
		s.HeaderTypes, s.HeaderName, s.Resource = []string{"JWT"}, "X-Access", "https://api.example/"
	})
	if w := get(guard, "X-Access", "JWT "+accessToken(t, nil)); w.Code != 200 {
		t.Errorf("own header: %d", w.Code)
	}
	w := get(guard, "Authorization", "JWT "+accessToken(t, nil))
	if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `JWT realm="api", resource_metadata="`+metadata+`"` {
		t.Errorf("Authorization: %d %v", w.Code, w.Header())
	}
}

func TestOptional(t *testing.T) {
	guard := newGuard(t, nil)
	handler := guard.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, ok := jotgate.UserFrom(r.Context())
		if ok {
			_, _ = w.Write([]byte(user.Username))
		}
	}))
	for _, c := range []struct {
		header string
		code   int
		body   string
	}{
		{"", 200, ""},
		{"Basic eDp5", 200, ""},
		{"Bearer " + accessToken(t, nil), 200, "alice"},
		{"Bearer x", 401, ""},
		{"Bearer", 401, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.code || c.code == 200 && w.Body.String() != c.body {
			t.Errorf("%q: %d %s", c.header, w.Code, w.Body)
		}
	}
}

// A role's name is never taken for its type, nor its type for its name.
func TestRolesAndPermissions(t *testing.T) {
	guard := newGuard(t, nil)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	role := func(id, name, kind string) map[string]any {
		return map[string]any{"id": id, "display_name": name, "role_type": kind}
	}
	code := func(handler http.Handler, role any, permissions ...string) int {
		token := accessToken(t, func(c map[string]any) { c["role"], c["permissions"] = role, permissions })
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code
	}
	admin, staff, user := role("admin", "Admin", "admin"), role("staff", "Staff", "staff"), role("user", "User", "user")
	group := func(name string) map[string]any { return role("5", name, "user") }
	for _, c := range []struct {
		name    string
		handler http.Handler
		role    any
		want    int
	}{
		{"staff is staff", guard.RequireStaff(ok), staff, 200},
		{"admin is staff", guard.RequireStaff(ok), admin, 200},
		{"user is not staff", guard.RequireStaff(ok), user, 403},
		{"admin by type", guard.RequireRole("admin")(ok), admin, 200},
		{"a group called admin", guard.RequireRole("admin")(ok), group("admin"), 403},
		{"a group called Admin", guard.RequireRole("Admin")(ok), group("Admin"), 200},
		{"the display name of a type", guard.RequireRole("Admin")(ok), admin, 403},
		{"group by name", guard.RequireRole("Editors")(ok), group("Editors"), 200},
		{"group by id", guard.RequireRole("5")(ok), group("Editors"), 403},
		{"no role asked", guard.RequireRole("")(ok), group(""), 403},
		{"admin has every permission", guard.RequirePermission("blog.add_post")(ok), admin, 200},
		{"user has none", guard.RequirePermission("blog.add_post")(ok), user, 403},
	} {
		if got := code(c.handler, c.role); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := code(guard.RequirePermission("blog.add_post")(ok), user, "blog.add_post"); got != 200 {
		t.Errorf("user with the permission: %d", got)
	}
}

func TestOnError(t *testing.T) {
	var seen error
	guard := newGuard(t, func(s *jotgate.GuardSettings) {
		s.OnError = func(w http.ResponseWriter, _ *http.Request, e *jotgate.Error) {
			seen = e
			w.WriteHeader(418)
		}
	})
	if w := get(guard); w.Code != 418 || !errors.Is(seen, jotgate.ErrNotAuthenticated) {
		t.Errorf("%d %v", w.Code, seen)
	}
}

func BenchmarkRequire(b *testing.B) {
	guard := newGuard(b, nil)
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	typed := guard.RequireUser(func(http.ResponseWriter, *http.Request, *jotgate.User) {})
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+accessToken(b, nil))
	for name, handler := range map[string]http.Handler{"context": guard.Require(ok), "typed": typed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := httptest.NewRecorder()
			for b.Loop() {
				handler.ServeHTTP(w, r)
			}
		})
	}
}

// A claim that another issuer uses with another meaning does not make the
// gate reject the token, and does not grant any right.
func TestForeignClaims(t *testing.T) {
	guard := newGuard(t, nil)
	user, err := guard.VerifyAccess(accessToken(t, func(c map[string]any) {
		c["role"], c["username"], c["groups"], c["permissions"] = "admin", 5, "editors", []any{1}
	}))
	if err != nil {
		t.Fatal(err)
	}
	if user.ID != "7" || user.Email != "alice@example.com" || user.Username != "" || len(user.Groups)+len(user.Permissions) > 0 {
		t.Errorf("%+v", user)
	}
	if user.IsSuperuser() || user.IsStaff() || user.HasRole("admin") || user.HasPermission("blog.add_post") {
		t.Error(`"role": "admin" of another issuer makes an admin`)
	}
	editor, err := guard.VerifyAccess(accessToken(t, func(c map[string]any) { c["role"] = "editor" }))
	if err != nil || !editor.HasRole("editor") || editor.HasRole("Editor") {
		t.Errorf("%+v %v", editor, err)
	}
	for name, value := range map[string]any{"sid": 5, "exp": "soon", "jti": nil} {
		if _, err := guard.VerifyAccess(accessToken(t, func(c map[string]any) { c["role"], c[name] = "editor", value })); err == nil {
			t.Errorf("%s %v passes beside a foreign role", name, value)
		}
	}
}

// A source whose keys appear and disappear.
type sometimes struct{ set *jwt.KeySet }

func (s *sometimes) KeySet() *jwt.KeySet { return s.set }

// Without keys a Guard cannot verify any token: it responds with 503, not
// with a 401 that makes clients log their users out.
func TestGuardWithoutKeys(t *testing.T) {
	for _, remember := range []int{0, 10} {
		keys := &sometimes{key(t).KeySet()}
		guard := newGuard(t, func(s *jotgate.GuardSettings) { s.Keys, s.RememberTokens = keys, remember })
		handler := guard.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		for _, c := range []struct {
			set    *jwt.KeySet
			status int
		}{{keys.set, 200}, {nil, 503}, {keys.set, 200}} {
			keys.set = c.set
			r := httptest.NewRequest("GET", "/", nil)
			r.Header.Set("Authorization", "Bearer "+accessToken(t, nil))
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code != c.status || (c.status == 503) != (w.Header().Get("Retry-After") != "") {
				t.Errorf("RememberTokens %d, keys %v: %d %v", remember, c.set, w.Code, w.Header())
			}
			if _, err := guard.VerifyAccess(accessToken(t, nil)); c.set == nil && !errors.Is(err, jwt.ErrNoKeys) {
				t.Errorf("RememberTokens %d: %v does not give the cause", remember, err)
			}
		}
	}
}

// A Guard that names a feed and does not follow it accepts revoked tokens, which
// the log says once.
func TestGuardThatDoesNotRun(t *testing.T) {
	const feed = "https://auth.example.com/auth/revocations"
	for name, row := range map[string]struct {
		url  string
		run  bool
		want int
	}{
		"Run is forgotten": {feed, false, 1},
		"Run is called":    {feed, true, 0},
		"no feed":          {"", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log strings.Builder
				guard := newGuard(t, func(s *jotgate.GuardSettings) {
					s.RevocationsURL, s.Logger = row.url, slog.New(slog.NewTextHandler(&log, nil))
				})
				if row.run {
					ended, end := context.WithCancel(t.Context())
					end()
					_ = guard.Run(ended)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if got := strings.Count(log.String(), "Guard.Run was not started"); got != row.want {
					t.Errorf("%d lines: %s", got, log.String())
				}
			})
		})
	}
}
