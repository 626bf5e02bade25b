package languages

// jotgate's own parties: the package, as a Go program uses it, and the command line.

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// library is the package jwt.
type library struct{}

func (library) sign(t *testing.T, alg, key, claims string) string {
	t.Helper()
	token, err := jwt.Sign(newKey(t, alg, key), jwt.Raw(claims))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (library) verify(t *testing.T, alg, key, token string) (string, error) {
	t.Helper()
	verifier, err := jwt.NewVerifier[jwt.Raw](newKey(t, alg, key), jwt.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	verified, err := verifier.Verify(token)
	if err != nil {
		return "", err
	}
	return string(verified.Claims), nil
}

func newKey(t *testing.T, alg, key string) *jwt.Key {
	t.Helper()
	made, err := jwt.ParseKey([]byte(key), jwt.Algorithm(alg))
	if strings.HasPrefix(alg, "HS") {
		made, err = jwt.NewHMAC(jwt.Algorithm(alg), []byte(key))
	}
	if err != nil {
		t.Fatal(err)
	}
	return made
}
