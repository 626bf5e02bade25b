package main

import (
	"context"
	"fmt"
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// plan is a claim of this program.
type plan struct {
	Name  string `json:"name"`
	Seats int    `json:"seats"`
}

// configure sets what tokens contain, here and in the tests.
func configure(s *jotgate.Settings) {
	s.Claims = []string{"username", "role", "groups", "permissions"}
	s.CustomClaims = func(_ context.Context, account *record.Account) (jwt.Object, error) {
		return jwt.Object{{Name: "plan", Value: plan{Name: "free", Seats: 3}}}, nil
	}
}

// guarded is the part of a Gate that a Guard in another service has as well.
type guarded interface {
	RequireUser(handler func(http.ResponseWriter, *http.Request, *jotgate.User)) http.Handler
	RequireStaff(http.Handler) http.Handler
	RequireRole(name string) func(http.Handler) http.Handler
	RequirePermission(name string) func(http.Handler) http.Handler
}

// notes is the API.
func notes(gate guarded) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /notes", gate.RequireUser(list))
	mux.Handle("POST /notes", gate.RequirePermission("notes.add_note")(http.HandlerFunc(done)))
	mux.Handle("POST /publish", gate.RequireRole("editors")(http.HandlerFunc(done)))
	mux.Handle("GET /report", gate.RequireStaff(http.HandlerFunc(done)))
	return mux
}

func list(w http.ResponseWriter, _ *http.Request, user *jotgate.User) {
	paid, err := jotgate.ClaimInto[plan](user, "plan")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "notes of %s, who has %d seats\n", user.Username, paid.Seats)
}

func done(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "done") }
