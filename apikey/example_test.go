package apikey_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store/sqlite"
)

// value keeps the example short; a program handles its errors.
func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A user creates a key, and a program sends it: it opens the handlers of its scopes.
func Example() {
	ctx, folder := context.Background(), value(os.MkdirTemp("", "jotgate"))
	defer os.RemoveAll(folder)
	db := value(sqlite.Open(ctx, filepath.Join(folder, "users.db"), sqlite.Options{}))
	defer db.Close()
	gate := value(jotgate.New(jotgate.Settings{
		SecretKey: "read this from the environment, 32 bytes or more",
		Hasher:    value(passwd.New("pbkdf2_sha256:100")), Logger: slog.New(slog.DiscardHandler), // for the example
	}, db))
	keys := value(apikey.New(gate, db.APIKeys(), apikey.Settings{}))
	// go keys.Run(ctx)

	mux := http.NewServeMux()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		fmt.Fprint(w, "for ", user.Username)
	})
	mux.Handle("GET /orders", gate.RequireScope("orders:read")(handler))
	mux.Handle("POST /orders", gate.RequireScope("orders:write")(handler))

	client := jotgate.Client{Address: "192.0.2.7"}
	alice := value(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))
	created := value(keys.Create(ctx, alice, apikey.Request{Name: "ci", Scopes: []string{"orders:read"}}, client))

	for _, method := range []string{"GET", "POST"} {
		r := httptest.NewRequestWithContext(ctx, method, "/orders", nil)
		r.Header.Set("Authorization", "Bearer "+created.Secret)
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		fmt.Println(method, w.Code, w.Body)
	}
	// Output:
	// GET 200 for alice
	// POST 403 {"detail":"The token does not have the required scope.","code":"insufficient_scope"}
}
