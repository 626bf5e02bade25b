package jotgate_test

// The programs that everyone writes.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// must keeps the examples short; a program handles its errors.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// openDatabase opens a database in a temporary folder. A program calls
// sqlite.Open or postgres.Open.
func openDatabase() (db *store.Store, remove func()) {
	folder := must(os.MkdirTemp("", "jotgate"))
	db = must(sqlite.Open(context.Background(), filepath.Join(folder, "users.db"), sqlite.Options{}))
	return db, func() { db.Close(); os.RemoveAll(folder) }
}

// quick is a cheap hasher, and silent a log of nothing, for the examples. A program
// leaves Settings.Hasher and Logger out.
var (
	quick  = must(passwd.New("pbkdf2_sha256:100"))
	silent = slog.New(slog.DiscardHandler)
)

const secretKey = "read this from the environment, 32 bytes or more"

// send makes a request and returns the status and the body of the response.
func send(h http.Handler, method, path, token, body string) string {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return fmt.Sprintf("%d %s", w.Code, strings.TrimSpace(w.Body.String()))
}

// An API with accounts: api.Mount adds the endpoints to sign up, log in and
// refresh, and gate.Require protects a handler.
func Example() {
	db, remove := openDatabase()
	defer remove()
	gate := must(jotgate.New(jotgate.Settings{SecretKey: secretKey, Hasher: quick, Logger: silent}, db))

	mux := http.NewServeMux()
	api.Mount(mux, gate)
	mux.Handle("GET /api/hello", gate.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		fmt.Fprintf(w, "Hello, %s!", user.Username)
	})))

	fmt.Println(send(mux, "GET", "/api/hello", "", ""))
	fmt.Println(send(mux, "POST", "/auth/users/", "", `{"username": "alice", "password": "correct horse battery"}`))
	tokens := must(gate.Login(context.Background(), "alice", "correct horse battery", jotgate.Client{}))
	fmt.Println(send(mux, "GET", "/api/hello", tokens.Access, ""))
	// Output:
	// 401 {"detail":"Authentication credentials were not provided."}
	// 201 {"email":"","username":"alice","id":1}
	// 200 Hello, alice!
}

// A refresh token works once: it is exchanged for a new pair of tokens. Logout
// ends the session of a refresh token.
func ExampleGate_Refresh() {
	db, remove := openDatabase()
	defer remove()
	gate := must(jotgate.New(jotgate.Settings{SecretKey: secretKey, Hasher: quick, Logger: silent, RefreshGrace: -1}, db))
	ctx, client := context.Background(), jotgate.Client{Address: "192.0.2.7", UserAgent: "Firefox"}
	must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))

	_, err := gate.Login(ctx, "alice", "wrong", client)
	fmt.Println(errors.Is(err, jotgate.ErrNoActiveAccount))

	first := must(gate.Login(ctx, "alice", "correct horse battery", client))
	second := must(gate.Refresh(ctx, first.Refresh, client))
	fmt.Println(second.Refresh != first.Refresh)

	err = gate.Logout(ctx, second.Refresh, client)
	_, afterwards := gate.Refresh(ctx, second.Refresh, client)
	fmt.Println(err, errors.Is(afterwards, jotgate.ErrTokenBlacklisted))
	// Output:
	// true
	// true
	// <nil> true
}

// Permissions are those of Django's tables; Settings.Claims adds them to the
// tokens.
func ExampleGuard_RequirePermission() {
	db, remove := openDatabase()
	defer remove()
	gate := must(jotgate.New(jotgate.Settings{
		SecretKey: secretKey, Hasher: quick, Logger: silent, Claims: []string{"username", "role", "groups", "permissions"},
	}, db))
	ctx, client := context.Background(), jotgate.Client{}
	alice := must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))
	must(gate.Register(ctx, jotgate.Registration{Username: "bob", Password: "correct horse battery"}, client))
	must(db.Groups().Create(ctx, "support"))
	if err := errors.Join(
		db.Permissions().GrantToGroup(ctx, "support", "auth.view_user"),
		db.Groups().AddMember(ctx, alice.ID, "support"),
	); err != nil {
		panic(err)
	}

	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	mux := http.NewServeMux()
	mux.Handle("GET /users", gate.RequirePermission("auth.view_user")(ok))
	mux.Handle("GET /tickets", gate.RequireRole("support")(ok))
	mux.Handle("GET /admin", gate.RequireStaff(ok))
	for _, name := range []string{"alice", "bob"} {
		token := must(gate.Login(ctx, name, "correct horse battery", client)).Access
		fmt.Println(name, send(mux, "GET", "/users", token, "")[:3], send(mux, "GET", "/tickets", token, "")[:3], send(mux, "GET", "/admin", token, "")[:3])
	}
	// Output:
	// alice 200 200 403
	// bob 403 403 403
}

// A service without the database verifies tokens with the public keys that the
// gate publishes. With GuardSettings.RevocationsURL and Run it also learns of
// logouts within a second.
func ExampleNewGuard() {
	db, remove := openDatabase()
	defer remove()
	gate := must(jotgate.New(jotgate.Settings{SecretKey: secretKey, Hasher: quick, Logger: silent, KeyRotation: 30 * 24 * time.Hour}, db))
	ctx := context.Background()
	if err := gate.Sync(ctx); err != nil { // creates the first key
		panic(err)
	}
	mux := http.NewServeMux()
	api.Mount(mux, gate)
	server := httptest.NewServer(mux)
	defer server.Close()

	// In the other service; a program uses https and leaves InsecureHTTP out.
	keys := must(jwks.New(server.URL+"/.well-known/jwks.json", jwks.Options{
		Algorithms: []jwt.Algorithm{jwt.ES256}, InsecureHTTP: true,
	}))
	guard := must(jotgate.NewGuard(jotgate.GuardSettings{Keys: keys}))
	handler := guard.RequireUser(func(w http.ResponseWriter, _ *http.Request, user *jotgate.User) {
		fmt.Fprintf(w, "user %s", user.Username)
	})

	must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, jotgate.Client{}))
	tokens := must(gate.Login(ctx, "alice", "correct horse battery", jotgate.Client{}))
	fmt.Println(send(handler, "GET", "/", tokens.Access, ""))
	// Output: 200 user alice
}

// Settings.CustomClaims adds the program's claims to access tokens, and
// ClaimInto reads one.
func ExampleClaimInto() {
	db, remove := openDatabase()
	defer remove()
	plans := map[record.UserID]string{"1": "gold"}
	gate := must(jotgate.New(jotgate.Settings{
		SecretKey: secretKey, Hasher: quick, Logger: silent,
		CustomClaims: func(_ context.Context, account *record.Account) (jwt.Object, error) {
			return jwt.Object{{Name: "plan", Value: plans[account.ID]}}, nil
		},
	}, db))
	ctx := context.Background()
	must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, jotgate.Client{}))
	tokens := must(gate.Login(ctx, "alice", "correct horse battery", jotgate.Client{}))

	user := must(gate.VerifyAccess(tokens.Access))
	fmt.Println(must(jotgate.ClaimInto[string](user, "plan")))
	// Output: gold
}

// A program that authenticates users itself, for example by SAML, starts their
// sessions. A user with a second factor is still asked for it.
func ExampleSessions_Start() {
	db, remove := openDatabase()
	defer remove()
	gate := must(jotgate.New(jotgate.Settings{SecretKey: secretKey, Hasher: quick, Logger: silent, Claims: []string{"username", "amr"}}, db))
	ctx, client := context.Background(), jotgate.Client{}
	account := must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))

	tokens, err := gate.Sessions().Start(ctx, account, jotgate.ProvedElsewhere("saml"), client)
	var step *jotgate.StepError
	if errors.As(err, &step) {
		fmt.Println("send the client to the second factor:", step.State.Flows)
		return
	}
	user := must(gate.VerifyAccess(tokens.Access))
	fmt.Println(user.Username, user.AMR())
	// Output: alice [saml]
}

// Before a payment the user must have authenticated within ten minutes. The
// response tells the client so as RFC 9470 says; it then asks for the password
// or the second factor and gets new tokens at /auth/again/.
func ExampleGuard_RequireAuth() {
	db, remove := openDatabase()
	defer remove()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	gate := must(jotgate.New(jotgate.Settings{
		SecretKey: secretKey, Hasher: quick, Logger: silent, Claims: []string{"username", "auth_time"},
		AccessTokenLifetime: time.Hour, Now: func() time.Time { return now },
	}, db))
	ctx, client := context.Background(), jotgate.Client{}
	must(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))
	tokens := must(gate.Login(ctx, "alice", "correct horse battery", client))
	pay := gate.RequireAuth(jotgate.Fresh(10 * time.Minute))(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "paid") }))

	now = now.Add(15 * time.Minute)
	fmt.Println(send(pay, "POST", "/pay", tokens.Access, "")[:3])
	user := must(gate.VerifyAccess(tokens.Access))
	state := must(gate.Logins().Reauthenticate(ctx, user, jotgate.Password("alice", "correct horse battery"), client))
	fmt.Println(send(pay, "POST", "/pay", state.Tokens.Access, ""))
	// Output:
	// 401
	// 200 paid
}
