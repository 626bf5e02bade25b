// Command chi guards the routes of a go-chi router: gate.Require is a
// middleware for chi.
//
//	SECRET_KEY=… go run ./chi
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/go-chi/chi/v5"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/store/sqlite"
)

func main() {
	ctx := context.Background()
	db, err := sqlite.Open(ctx, "jotgate.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: jotgate.Secret(os.Getenv("SECRET_KEY"))}, db)
	if err != nil {
		log.Fatal(err)
	}
	accounts, err := api.New(gate, api.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	go gate.Run(ctx)
	log.Fatal(api.Server("127.0.0.1:8000", routes(gate, accounts)).ListenAndServe())
}

// routes passes requests without a route to jotgate's login, refresh and users.
func routes(gate *jotgate.Gate, accounts http.Handler) http.Handler {
	r := chi.NewRouter()
	r.Get("/", home)
	r.Group(func(r chi.Router) {
		r.Use(gate.Require)
		r.Get("/hello", hello)
	})
	r.Group(func(r chi.Router) {
		r.Use(gate.RequireStaff)
		r.Get("/reports/{year}", reports)
	})
	r.NotFound(accounts.ServeHTTP)
	return r
}

func home(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "welcome") }

func hello(w http.ResponseWriter, r *http.Request) {
	user, _ := jotgate.UserFrom(r.Context())
	fmt.Fprintf(w, "hello, %s\n", user.Username)
}

func reports(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "reports of %s\n", chi.URLParam(r, "year"))
}
