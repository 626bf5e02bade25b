package jwt_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/jotgate/jotgate/jwt"
)

// hmacOf computes a signature without the package under test.
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

// allocations fails the test if f allocates more than limit times. What other goroutines
// allocate is counted too: it is measured again if it is more.
func allocations(t *testing.T, limit float64, f func()) {
	t.Helper()
	if forgetfulPools {
		limit += 30
	}
	n := testing.AllocsPerRun(500, f)
	for try := 1; n > limit && try < 10; try++ {
		n = testing.AllocsPerRun(500, f)
	}
	if n > limit {
		t.Errorf("%v allocations, want at most %v", n, limit)
	}
}
