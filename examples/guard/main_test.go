package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
)

// newKey is an issuer's private key and its public half as PEM.
func newKey(t *testing.T) (*jwt.Key, []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	key, err := jwt.NewKey(jwt.ES256, private)
	if err != nil {
		t.Fatal(err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
}

func token(t *testing.T, key *jwt.Key, role string) string {
	signed, err := jwt.Sign(key, map[string]any{
		"token_type": "access", "exp": time.Now().Unix() + 3600, "jti": "1", "user_id": "7", "username": "alice",
		"role": map[string]any{"id": role, "display_name": "Staff", "role_type": role},
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestGuard(t *testing.T) {
	key, public := newKey(t)
	stranger, _ := newKey(t)
	file := filepath.Join(t.TempDir(), "public.pem")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := keysFrom(file, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path, token string
		status      int
		body        string
	}{
		{"/orders", token(t, key, "user"), http.StatusOK, "orders of user 7 (alice)\n"},
		{"/reports", token(t, key, "staff"), http.StatusOK, "reports for Staff\n"},
		{"/reports", token(t, key, "user"), http.StatusForbidden, ""},
		{"/orders", token(t, stranger, "user"), http.StatusUnauthorized, ""},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		routes(guard).ServeHTTP(w, r)
		if w.Code != c.status || c.status == http.StatusOK && w.Body.String() != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.path, w.Code, w.Body, c.status, c.body)
		}
	}
}
