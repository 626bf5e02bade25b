package jwt_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// Sign a token and verify it, both with a shared secret.
func Example() {
	key, err := jwt.NewHMAC(jwt.HS256, []byte("a secret of at least 32 random bytes, kept apart"))
	if err != nil {
		panic(err)
	}
	type Claims struct {
		Expires int64  `json:"exp"`
		UserID  string `json:"user_id"`
	}
	token, err := jwt.Sign(key, Claims{Expires: time.Now().Add(5 * time.Minute).Unix(), UserID: "42"})
	if err != nil {
		panic(err)
	}

	verifier, err := jwt.NewVerifier[Claims](key, jwt.Rules{})
	if err != nil {
		panic(err)
	}
	verified, err := verifier.Verify(token)
	fmt.Println(verified.Claims.UserID, err)
	_, err = verifier.Verify(token + "x")
	fmt.Println(err, errors.Is(err, jwt.ErrInvalid))
	// Output:
	// 42 <nil>
	// token is invalid true
}

// A service that only verifies has only the public key.
func ExampleKey_Public() {
	private, err := jwt.ES256.GenerateKey()
	if err != nil {
		panic(err)
	}
	private = private.WithID(private.Thumbprint())
	public, err := private.Public()
	if err != nil {
		panic(err)
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](public, jwt.Rules{Audience: []string{"api"}})
	if err != nil {
		panic(err)
	}
	token, err := jwt.Sign(private.WithType("at+jwt"), jwt.Object{{"aud", "shop"}, {"exp", time.Now().Unix() + 600}})
	if err != nil {
		panic(err)
	}
	_, err = verifier.Verify(token)
	var refused *jwt.Error
	if errors.As(err, &refused) {
		fmt.Println(err, "|", refused.Detail())
	}
	// Output: token has the wrong audience | claim aud: does not name this verifier
}

// Retired keys stay in the set until their tokens have expired.
func ExampleNewKeySet() {
	old, _ := jwt.EdDSA.GenerateKey()
	current, _ := jwt.EdDSA.GenerateKey()
	keys, err := jwt.NewKeySet(current.WithID("2026-11"), old.WithID("2026-10"))
	if err != nil {
		panic(err)
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](keys, jwt.Rules{InsecureNoExpiration: true})
	if err != nil {
		panic(err)
	}
	token, err := jwt.Sign(old.WithID("2026-10"), jwt.Raw(`{ "sub": "alice" }`))
	if err != nil {
		panic(err)
	}
	verified, err := verifier.Verify(token)
	fmt.Println(verified.KeyID, verified.Subject, verified.Payload(), err)
	// Output: 2026-10 alice {"sub":"alice"} <nil>
}

// A claim that may be a number or a string.
func ExampleRaw() {
	for _, id := range []jwt.Raw{`7`, `"7"`, `true`} {
		if n, ok := id.Int(); ok {
			fmt.Println("number", n)
		} else if s, ok := id.Text(); ok {
			fmt.Println("text", s)
		} else {
			fmt.Println("neither")
		}
	}
	// Output:
	// number 7
	// text 7
	// neither
}

// DecodeUnverified shows what a token claims to be.
func ExampleDecodeUnverified() {
	header, claims, err := jwt.DecodeUnverified("eyJhbGciOiJub25lIn0.eyJzdWIiOiJyb290In0.")
	fmt.Println(header, claims, err)
	// Output: {"alg":"none"} {"sub":"root"} <nil>
}
