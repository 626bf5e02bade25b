// Command guard is a service without accounts. It identifies its callers with public
// keys only, without a database and without a request to another service.
//
//	go run ./examples/guard -keys http://127.0.0.1:8000/.well-known/jwks.json
//	go run ./examples/guard -keys public.pem
//
// The tokens come from a jotgate that signs with a private key (jotgate key
// rotate, or --signing-key FILE).
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:9000", "where to listen")
	from := flag.String("keys", "", "address of a JWK Set, or a file with public keys (PEM, JWK, JWK Set)")
	maxStale := flag.Duration("max-stale", 24*time.Hour, "how old keys from an address may get if it cannot be reached")
	issuer := flag.String("issuer", "", "the iss that tokens must have; empty: any")
	flag.Parse()
	keys, err := keysFrom(*from, *maxStale)
	if err != nil {
		log.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: keys, Issuer: *issuer})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(api.Server(*addr, routes(guard)).ListenAndServe())
}

// keysFrom reads public keys from a URL or a file.
func keysFrom(name string, maxStale time.Duration) (jwt.Keys, error) {
	if strings.Contains(name, "://") {
		return jwks.New(name, jwks.Options{
			MaxStale:     maxStale,
			OnError:      func(err error) { log.Print(err) },
			InsecureHTTP: strings.HasPrefix(name, "http://127.0.0.1:"), // only on this machine
		})
	}
	document, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return jwt.ParseKeySet(document)
}

// routes uses the same guard in two ways.
func routes(guard *jotgate.Guard) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /orders", guard.RequireUser(orders))
	mux.Handle("GET /reports", guard.RequireStaff(http.HandlerFunc(reports)))
	return mux
}

// orders receives the user as an argument.
func orders(w http.ResponseWriter, _ *http.Request, user *jotgate.User) {
	fmt.Fprintf(w, "orders of user %s (%s)\n", user.ID, user.Username)
}

// reports takes the user from the context.
func reports(w http.ResponseWriter, r *http.Request) {
	user, _ := jotgate.UserFrom(r.Context())
	fmt.Fprintf(w, "reports for %s\n", user.Role.DisplayName)
}
