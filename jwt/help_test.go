package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// hmacOf computes a signature apart from the package.
func hmacOf(t testing.TB, alg jwt.Algorithm, input string) []byte {
	t.Helper()
	h := hmac.New(sha256.New, secret)
	switch alg {
	case jwt.HS384:
		h = hmac.New(sha512.New384, secret)
	case jwt.HS512:
		h = hmac.New(sha512.New, secret)
	}
	h.Write([]byte(input))
	return h.Sum(nil)
}

// allocations says how many allocations f makes, when they are more than limit.
func allocations(t *testing.T, limit float64, f func()) {
	t.Helper()
	if forgetfulPools {
		limit += 30
	}
	if n := testing.AllocsPerRun(500, f); n > limit {
		t.Errorf("%v allocations, want at most %v", n, limit)
	}
}
