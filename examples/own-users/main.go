// Command own-users logs in the users of a program that has its own user table.
// Jotgate handles tokens, sessions, refresh, logout and the guard, and never reads
// auth_user.
//
//	SECRET_KEY=… go run ./examples/own-users
//
// customers.go is all that the program has to implement: three methods.
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
	ctx := context.Background()
	customers, err := openCustomers(ctx, "shop.db")
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := sqlite.Open(ctx, "sessions.db", sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(os.Getenv("SECRET_KEY")),
		Users:     customers,
	}, sessions)
	if err != nil {
		log.Fatal(err)
	}
	go gate.Run(ctx)
	log.Fatal(api.Server("127.0.0.1:8000", routes(gate)).ListenAndServe())
}

// routes are jotgate's login, refresh and logout, and a page of the program.
func routes(gate *jotgate.Gate) http.Handler {
	mux := http.NewServeMux()
	api.Mount(mux, gate)
	mux.Handle("GET /basket", gate.RequireUser(basket))
	return mux
}

func basket(w http.ResponseWriter, _ *http.Request, user *jotgate.User) {
	fmt.Fprintf(w, "the basket of customer %s\n", user.ID)
}
