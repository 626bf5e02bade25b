// Command quickstart is an API with accounts and tokens: sign up, log in, GET /api/hello.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/store/sqlite"
)

func main() {
	db := must(sqlite.Open(context.Background(), "quickstart.db", sqlite.Options{}))
	gate := must(jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(os.Getenv("SECRET_KEY"))}, db))
	mux := http.NewServeMux()
	api.Mount(mux, gate) // /auth/users/, /api/token/, /api/token/refresh/ and the rest
	mux.Handle("GET /api/hello", gate.RequireUser(hello))
	log.Fatal(api.Server("127.0.0.1:8000", mux).ListenAndServe())
}

func hello(w http.ResponseWriter, r *http.Request, user *jotgate.User) {
	fmt.Fprintf(w, "hello %s\n", user.Username)
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
