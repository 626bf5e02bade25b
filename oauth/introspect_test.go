package oauth_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/tamper"
	"github.com/jotgate/jotgate/oauth"
)

// about is a request about a token.
func about(token string, c oauth.Created) oauth.Call {
	call := basic(grant("token", token), c.ID, c.Secret)
	call.Form.Del("grant_type")
	return call
}

// token gets a token of a client.
func (w *site) token(c oauth.Created) string {
	w.t.Helper()
	token, err := w.server.Token(w.t.Context(), basic(grant(), c.ID, c.Secret))
	if err != nil {
		w.t.Fatal(err)
	}
	return token.Access
}

// active introspects a token as a client.
func (w *site) active(token string, c oauth.Created) map[string]any {
	w.t.Helper()
	text, err := w.server.Introspect(w.t.Context(), about(token, c))
	var out map[string]any
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	if out["active"] != true && len(out) != 1 {
		w.t.Errorf("a token that is not active has %v", out)
	}
	return out
}

// A client introspects its own tokens, and with the scope those of others, too.
func TestIntrospect(t *testing.T) {
	w := newSite(t)
	c, other, server := w.create("billing", "orders:read"), w.create("other", "orders:read"), w.create("api", oauth.ScopeIntrospection)
	token := w.token(c)
	alice := w.Token(w.User("alice"))
	for _, ask := range []struct {
		name  string
		token string
		as    oauth.Created
		want  bool
	}{
		{"its own", token, c, true},
		{"another's", token, other, false},
		{"another's, with the scope", token, server, true},
		{"a user's", alice, c, false},
		{"a user's, with the scope", alice, server, true},
		{"not a token", "x", server, false},
		{"another signature", tamper.At(token, -5), server, false},
		{"a secret", c.Secret, server, false},
	} {
		if got := w.active(ask.token, ask.as)["active"]; got != ask.want {
			t.Errorf("%s: %v", ask.name, got)
		}
	}
	out := w.active(token, server)
	names := slices.Sorted(maps.Keys(out))
	if want := []string{"active", "client_id", "exp", "iat", "jti", "scope", "sub", "token_type", "user_id", "username"}; !slices.Equal(names, want) {
		t.Errorf("%v, want %v", names, want)
	}
	if out["scope"] != "orders:read" || out["token_type"] != "Bearer" {
		t.Errorf("%v", out)
	}
	w.db.asked.Store(0)
	w.active(token, server)
	if n := w.db.asked.Load(); n != 0 {
		t.Errorf("%d statements", n)
	}
	if _, err := w.server.Introspect(t.Context(), about("", c)); code(t, err) != "invalid_request" {
		t.Errorf("no token: %v", err)
	}
	wrong := c
	wrong.Secret += "x"
	if _, err := w.server.Introspect(t.Context(), about(token, wrong)); code(t, err) != "invalid_client" {
		t.Errorf("another secret: %v", err)
	}
	w.Clock.Advance(time.Hour)
	if w.active(token, server)["active"] != false {
		t.Error("an expired token is active")
	}
}

// A client revokes its own token alone, on all nodes.
func TestRevoke(t *testing.T) {
	w := newSite(t)
	c, other := w.create("billing", "orders:read"), w.create("other", "orders:read")
	there, _ := w.node(w.gate.Settings())
	token, kept, user := w.token(c), w.token(c), w.Token(w.User("alice"))
	revoke := func(token string, as oauth.Created) {
		t.Helper()
		if err := w.server.Revoke(t.Context(), about(token, as)); err != nil {
			t.Errorf("Revoke: %v", err)
		}
	}
	opens := func(what string, gate *jotgate.Gate, token string, want bool) {
		t.Helper()
		if _, err := open(gate, token); (err == nil) != want {
			t.Errorf("%s: %v", what, err)
		}
		if err := gate.Sessions().VerifyToken(t.Context(), token); (err == nil) != want {
			t.Errorf("%s: VerifyToken: %v", what, err)
		}
	}
	revoke("x", c)
	revoke(token, other)
	revoke(user, c)
	for _, each := range []string{token, kept, user} {
		opens("before", w.gate, each, true)
		opens("before, there", there, each, true)
	}
	if err := w.server.Revoke(t.Context(), about("", c)); code(t, err) != "invalid_request" {
		t.Errorf("no token: %v", err)
	}
	revoke(token, c)
	revoke(token, c) // again
	opens("revoked", w.gate, token, false)
	opens("another of the client", w.gate, kept, true)
	if w.active(token, c)["active"] != false || w.active(kept, c)["active"] != true {
		t.Error("introspection says otherwise")
	}
	if err := there.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	opens("revoked, there", there, token, false)
	opens("another of the client, there", there, kept, true)
	later, _ := w.node(w.gate.Settings())
	opens("revoked, on a node that starts later", later, token, false)
	opens("another, on a node that starts later", later, kept, true)
	if err := w.server.Revoke(t.Context(), about(kept, oauth.Created{Client: c.Client, Secret: "x"})); code(t, err) != "invalid_client" {
		t.Errorf("without the secret: %v", err)
	}
	var e *jotgate.Error
	if _, err := open(w.gate, token); !errors.As(err, &e) || e.Status != 401 {
		t.Errorf("%v", err)
	}
}
