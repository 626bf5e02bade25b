package golangjwt

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	gojwt "github.com/golang-jwt/jwt/v5"
)

var secret = []byte("0123456789abcdefghijklmnopqrstuvwxyz-golang-jwt")

// both are the middlewares around a handler that answers with what it knows.
func both(t *testing.T) map[string]http.Handler {
	name := func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(oldKey{}).(*oldClaims); ok {
			fmt.Fprint(w, c.Name, c.Admin)
		}
		if c, ok := r.Context().Value(newKey{}).(*newClaims); ok {
			fmt.Fprint(w, c.Name, c.Admin)
		}
	}
	moved, err := after(secret, http.HandlerFunc(name))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]http.Handler{"before": before(secret, http.HandlerFunc(name)), "after": moved}
}

func get(handler http.Handler, token string) (status int, body string) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// forge changes a character in the middle of the signature.
func forge(token string) string {
	b := []byte(token)
	if at := len(b) - 20; b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return string(b)
}

// Tokens of either side are good for both, and so are refusals.
func TestBothWays(t *testing.T) {
	now := time.Now().Unix()
	good := newClaims{Name: "alice", Issuer: "https://accounts.example", Audience: []string{"shop"}, ExpiresAt: now + 3600, IssuedAt: now}
	old, err := oldSign(secret, oldClaims{Name: "alice", RegisteredClaims: gojwt.RegisteredClaims{
		Issuer: good.Issuer, Audience: good.Audience,
		ExpiresAt: gojwt.NewNumericDate(time.Unix(now+3600, 0)), IssuedAt: gojwt.NewNumericDate(time.Unix(now, 0)),
	}})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(change func(*newClaims)) string {
		c := good
		if change != nil {
			change(&c)
		}
		token, err := newSign(secret, c)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for side, handler := range both(t) {
		for _, token := range []string{old, sign(nil)} {
			if status, body := get(handler, token); status != 200 || body != "alicefalse" {
				t.Errorf("%s: %d %s", side, status, body)
			}
		}
		for what, token := range map[string]string{
			"expired":  sign(func(c *newClaims) { c.ExpiresAt = now - 1 }),
			"no exp":   sign(func(c *newClaims) { c.ExpiresAt = 0 }),
			"ahead":    sign(func(c *newClaims) { c.IssuedAt = now + 3600 }),
			"issuer":   sign(func(c *newClaims) { c.Issuer = "https://other.example" }),
			"audience": sign(func(c *newClaims) { c.Audience = []string{"other"} }),
			"forged":   forge(old),
		} {
			if status, _ := get(handler, token); status != 401 {
				t.Errorf("%s lets a token through: %s", side, what)
			}
		}
	}
}

// What the page says is refused from now on.
func TestStricter(t *testing.T) {
	signed := func(payload string) string {
		input := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
		signature, err := gojwt.SigningMethodHS256.Sign(input, secret)
		if err != nil {
			t.Fatal(err)
		}
		return input + "." + base64.RawURLEncoding.EncodeToString(signature)
	}
	const claims = `{"name":"alice","iss":"https://accounts.example","aud":"shop","exp":4102444800}`
	sides := both(t)
	for _, c := range []struct{ what, payload, before, after string }{
		{"as it should be", claims, "200 alicefalse", "200 alicefalse"},
		{"a member twice", strings.Replace(claims, `{`, `{"name":"root",`, 1), "200 alicefalse", "401 unauthorized\n"},
		{"another case", strings.Replace(claims, `}`, `,"Admin":true}`, 1), "200 alicetrue", "200 alicefalse"},
		{"a time as text", strings.Replace(claims, `4102444800`, `"4102444800"`, 1), "200 alicefalse", "401 unauthorized\n"},
	} {
		for side, want := range map[string]string{"before": c.before, "after": c.after} {
			if status, body := get(sides[side], signed(c.payload)); fmt.Sprint(status, " ", body) != want {
				t.Errorf("%s, %s: %d %s, want %s", c.what, side, status, body, want)
			}
		}
	}
	if _, err := after([]byte("short"), nil); err == nil {
		t.Error("a short secret is accepted")
	}
}
