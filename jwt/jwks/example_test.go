package jwks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

// A service that verifies the tokens of an issuer with the keys that it publishes.
func Example() {
	private, err := jwt.ES256.GenerateKey()
	if err != nil {
		panic(err)
	}
	issuer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(private.KeySet()) // the public key only
	}))
	defer issuer.Close()
	token, err := jwt.Sign(private, jwt.Object{{"sub", "alice"}, {"exp", time.Now().Unix() + 300}})
	if err != nil {
		panic(err)
	}

	// A program uses https and leaves InsecureHTTP out.
	keys, err := jwks.New(issuer.URL, jwks.Options{Algorithms: []jwt.Algorithm{jwt.ES256}, InsecureHTTP: true})
	if err != nil {
		panic(err)
	}
	if err := keys.Fetch(context.Background()); err != nil {
		panic(err)
	}
	verifier, err := jwt.NewVerifier[jwt.Raw](keys, jwt.Rules{})
	if err != nil {
		panic(err)
	}
	verified, err := verifier.Verify(token)
	fmt.Println(verified.Subject, err)
	// Output: alice <nil>
}
