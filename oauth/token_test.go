package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
)

const endpoint = "https://auth.example/o/token/"

// grant returns a request for a token with these parameters, in pairs.
func grant(pairs ...string) oauth.Call {
	c := oauth.Call{Header: http.Header{}, Form: url.Values{"grant_type": {"client_credentials"}}, Audience: []string{"https://auth.example", endpoint}}
	for i := 0; i < len(pairs); i += 2 {
		c.Form.Set(pairs[i], pairs[i+1])
	}
	return c
}

// basic adds the header of client_secret_basic to a request.
func basic(c oauth.Call, id, secret string) oauth.Call {
	text := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	c.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(text)))
	return c
}

// code returns the code of an error: a word of RFC 6749, or "" for none.
func code(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *jotgate.Error
	if !errors.As(err, &e) || e.Code == "" {
		t.Errorf("not an error of OAuth: %v", err)
		return "?"
	}
	if want := map[string]int{"invalid_client": 401}[e.Code]; e.Status != max(want, 400) {
		t.Errorf("%s has the status %d", e.Code, e.Status)
	}
	if strings.ContainsAny(e.Detail, "\"\\\x7f") {
		t.Errorf("a description has characters that RFC 6749 does not allow: %s", e.Detail)
	}
	return e.Code
}

func open(gate *jotgate.Gate, token string) (*jotgate.User, error) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return gate.Authenticate(r)
}

// A token has the claims of RFC 9068 and those of an access token of jotgate's, and
// opens what its scopes say.
func TestToken(t *testing.T) {
	w := newSite(t)
	c := w.create("billing", "orders:read", "orders:write", "account")
	w.db.asked.Store(0)
	token, err := w.server.Token(t.Context(), basic(grant("scope", "orders:read account"), c.ID, c.Secret))
	if err != nil {
		t.Fatal(err)
	}
	if token.Type != "Bearer" || token.Scope != "orders:read account" || token.Expires < 290 || token.Expires > 300 {
		t.Errorf("%+v", token)
	}
	if n := w.db.asked.Load(); n > 3 {
		t.Errorf("%d statements", n)
	}
	header, raw, err := jwt.DecodeUnverified(token.Access)
	if err != nil || !strings.Contains(string(header), `"typ":"at+jwt"`) {
		t.Errorf("header %s, %v", header, err)
	}
	var claims map[string]any
	if err := json.Unmarshal([]byte(raw), &claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"token_type": "access", "sub": c.ID, "client_id": c.ID, "scope": "orders:read account", "user_id": string(c.User), "username": "billing",
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	user, err := open(w.gate, token.Access)
	if err != nil || user.ID != c.User || user.Client() != c.ID || !user.Limited() || !user.HasScope("orders:read") || user.HasScope("orders:write") {
		t.Errorf("%+v, %v", user, err)
	}
	if account, err := w.gate.Accounts().Of(t.Context(), user); err != nil || account.Username != "billing" {
		t.Errorf("its account: %v", err)
	}

	// The next tokens of the client need no statement.
	w.db.asked.Store(0)
	for _, scope := range []string{"", "orders:write", "account orders:read account"} {
		if _, err := w.server.Token(t.Context(), basic(grant("scope", scope), c.ID, c.Secret)); err != nil {
			t.Errorf("%q: %v", scope, err)
		}
	}
	if n := w.db.asked.Load(); n != 0 {
		t.Errorf("%d statements for a client that was seen before", n)
	}
}

// Each request is rejected, and differs from one that is accepted in one point.
func TestTokenRefusals(t *testing.T) {
	w := newSite(t)
	c := w.create("billing", "orders:read")
	other := w.create("other", "orders:read")
	good := func() oauth.Call { return basic(grant(), c.ID, c.Secret) }
	post := func() oauth.Call { return grant("client_id", c.ID, "client_secret", c.Secret) }
	ask := func(call oauth.Call) string {
		_, err := w.server.Token(t.Context(), call)
		return code(t, err)
	}
	for name, call := range map[string]oauth.Call{
		"basic": good(), "post": post(), "basic and its client_id": basic(grant("client_id", c.ID), c.ID, c.Secret),
		"a scheme in lower case": func() oauth.Call {
			call := good()
			call.Header.Set("Authorization", "basic"+strings.TrimPrefix(call.Header.Get("Authorization"), "Basic"))
			return call
		}(),
	} {
		if got := ask(call); got != "" {
			t.Errorf("%s: %s", name, got)
		}
	}
	long := strings.Repeat("x", 300)
	for name, c := range map[string]struct {
		call oauth.Call
		want string
	}{
		"no authentication":           {grant(), "invalid_client"},
		"client_id alone":             {grant("client_id", c.ID), "invalid_client"},
		"two methods":                 {basic(post(), c.ID, c.Secret), "invalid_request"},
		"client_id of another":        {basic(grant("client_id", other.ID), c.ID, c.Secret), "invalid_request"},
		"another client's secret":     {basic(grant(), c.ID, other.Secret), "invalid_client"},
		"secret cut off":              {basic(grant(), c.ID, c.Secret[:len(c.Secret)-1]), "invalid_client"},
		"secret continued":            {basic(grant(), c.ID, c.Secret+long), "invalid_client"},
		"empty secret":                {basic(grant(), c.ID, ""), "invalid_client"},
		"unknown client":              {basic(grant(), c.ID+"x", c.Secret), "invalid_client"},
		"client_id in capitals":       {basic(grant(), strings.ToUpper(c.ID), c.Secret), "invalid_client"},
		"digest as the secret":        {basic(grant(), c.ID, c.Client.Secret), "invalid_client"},
		"post with another secret":    {grant("client_id", c.ID, "client_secret", other.Secret), "invalid_client"},
		"post without client_id":      {grant("client_secret", c.Secret), "invalid_client"},
		"username for client_id":      {basic(grant(), "billing", c.Secret), "invalid_client"},
		"grant_type password":         {basic(grant("grant_type", "password"), c.ID, c.Secret), "unsupported_grant_type"},
		"no grant_type":               {basic(grant("grant_type", ""), c.ID, c.Secret), "invalid_request"},
		"scope of others":             {basic(grant("scope", "orders:read orders:write"), c.ID, c.Secret), "invalid_scope"},
		"scope in capitals":           {basic(grant("scope", "ORDERS:READ"), c.ID, c.Secret), "invalid_scope"},
		"resource elsewhere":          {basic(grant("resource", "https://api.example"), c.ID, c.Secret), "invalid_target"},
		"assertion without its type":  {grant("client_assertion", "x"), "invalid_request"},
		"assertion that is not a JWT": {grant("client_assertion", "x", "client_assertion_type", assertionType), "invalid_client"},
	} {
		if got := ask(c.call); got != c.want {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
	for name, change := range map[string]func(oauth.Call){
		"repeated parameter": func(c oauth.Call) { c.Form["scope"] = []string{"orders:read", "orders:read"} },
		"two headers":        func(c oauth.Call) { c.Header.Add("Authorization", c.Header.Get("Authorization")) },
		"scheme Bearer": func(c oauth.Call) {
			c.Header.Set("Authorization", "Bearer"+strings.TrimPrefix(c.Header.Get("Authorization"), "Basic"))
		},
		"not base64": func(c oauth.Call) { c.Header.Set("Authorization", c.Header.Get("Authorization")+"!") },
		"not form-encoded": func(k oauth.Call) {
			k.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.ID+":%zz")))
		},
	} {
		call := good()
		change(call)
		if got := ask(call); got != "invalid_request" && got != "invalid_client" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A secret or a service account that ends stops working at once, though the client was
// seen a moment ago, and so do its tokens if the client was changed.
func TestTokenAfterChanges(t *testing.T) {
	w := newSite(t)
	c := w.create("billing", "orders:read", "orders:write")
	token := func(secret string) (string, string) {
		got, err := w.server.Token(t.Context(), basic(grant(), c.ID, secret))
		return got.Access, code(t, err)
	}
	first, _ := token(c.Secret)
	next, err := w.server.Rotate(t.Context(), c.ID, time.Hour, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{c.Secret, next.Secret} {
		if _, got := token(secret); got != "" {
			t.Errorf("in the overlap: %s", got)
		}
	}
	w.Clock.Advance(time.Hour - time.Second)
	if _, got := token(c.Secret); got != "" {
		t.Errorf("before the overlap ends: %s", got)
	}
	w.Clock.Advance(time.Second)
	if _, got := token(c.Secret); got != "invalid_client" {
		t.Errorf("after the overlap: %q", got)
	}
	last, got := token(next.Secret)
	if got != "" {
		t.Errorf("the next secret: %s", got)
	}
	if _, err := open(w.gate, first); err == nil {
		t.Error("an expired token opens")
	}

	if _, err := open(w.gate, last); err != nil {
		t.Error(err)
	}
	change := func(scopes []string, disabled *bool) {
		t.Helper()
		change, err := oauth.NewChange(scopes, nil, disabled, w.Clock.Now())
		if err == nil {
			err = w.server.Change(t.Context(), c.ID, change, jotgate.Client{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change([]string{"orders:read"}, nil)
	if _, err := open(w.gate, last); err == nil {
		t.Error("a token of the former scopes opens")
	}
	if narrowed, err := w.server.Token(t.Context(), basic(grant(), c.ID, next.Secret)); err != nil || narrowed.Scope != "orders:read" {
		t.Errorf("%+v, %v", narrowed, err)
	}
	change(nil, new(true))
	if _, got := token(next.Secret); got != "invalid_client" {
		t.Errorf("disabled: %q", got)
	}
	change(nil, new(false))
	if _, got := token(next.Secret); got != "" {
		t.Errorf("enabled again: %s", got)
	}
	if err := w.db.Accounts().Change(t.Context(), c.User, record.Change{IsActive: new(false), At: w.Clock.Now()}); err != nil {
		t.Fatal(err)
	}
	if err := w.gate.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, got := token(next.Secret); got != "invalid_client" {
		t.Errorf("inactive service account: %q", got)
	}
}

// The secret of a client opens nothing but the endpoints of this package.
func TestSecretIsNotAToken(t *testing.T) {
	w := newSite(t)
	c := w.create("billing", "orders:read")
	for _, header := range []string{"Bearer " + c.Secret, "Api-Key " + c.Secret, "Token " + c.Secret, basic(grant(), c.ID, c.Secret).Header.Get("Authorization")} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", header)
		if _, err := w.gate.Authenticate(r); err == nil {
			t.Errorf("%s opens", header)
		}
	}
	if strings.Contains(w.log.String(), c.Secret) {
		t.Error("the secret is in the log")
	}
}

// A look-up is limited, and a client that was seen needs none.
func TestTokenLimit(t *testing.T) {
	w := newSite(t)
	c := w.create("billing", "orders:read")
	errLimit := &jotgate.Error{Status: http.StatusTooManyRequests}
	asked := 0
	ask := func(secret string, limit error) error {
		call := basic(grant(), c.ID, secret)
		call.Limit = func() error { asked++; return limit }
		_, err := w.server.Token(t.Context(), call)
		return err
	}
	if err := ask(c.Secret, errLimit); !errors.Is(err, errLimit) {
		t.Errorf("limited: %v", err)
	}
	if err := ask(c.Secret, nil); err != nil {
		t.Error(err)
	}
	before := asked
	if err := ask(c.Secret, errLimit); err != nil || asked != before {
		t.Errorf("a client that was seen: %v, limited %d times", err, asked-before)
	}
	if err := ask(c.Secret+"x", errLimit); !errors.Is(err, errLimit) {
		t.Errorf("a wrong secret of a client that was seen: %v", err)
	}
	// Known and unknown clients cost the same look-ups.
	for _, id := range []string{c.ID, "unknown"} {
		w.db.asked.Store(0)
		if _, err := w.server.Token(t.Context(), basic(grant(), id, "jgs_wrong")); code(t, err) != "invalid_client" {
			t.Errorf("%s: %v", id, err)
		}
		if n := w.db.asked.Load(); n != 1 {
			t.Errorf("%s: %d statements", id, n)
		}
	}
}
