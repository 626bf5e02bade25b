package proxy_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/store/sqlite"
)

// value keeps the example short; a program handles its errors.
func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The proxy forwards a request only with a token, and states the user in headers.
func ExampleNew() {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "orders of ", r.Header.Get("X-Auth-User"))
	}))
	defer upstream.Close()

	ctx, folder := context.Background(), value(os.MkdirTemp("", "jotgate"))
	defer os.RemoveAll(folder)
	db := value(sqlite.Open(ctx, filepath.Join(folder, "users.db"), sqlite.Options{}))
	defer db.Close()
	gate := value(jotgate.New(jotgate.Settings{
		SecretKey: "read this from the environment, 32 bytes or more",
		Hasher:    value(passwd.New("pbkdf2_sha256:100")), Logger: slog.New(slog.DiscardHandler), // for the example
	}, db))
	handler := value(proxy.New(gate.Guard, proxy.Settings{Upstream: upstream.URL, Protect: []string{"/"}}))
	server := httptest.NewUnstartedServer(nil)
	server.Config = api.Server("", handler)
	server.Start()
	defer server.Close()

	client := jotgate.Client{Address: "192.0.2.7"}
	value(gate.Register(ctx, jotgate.Registration{Username: "alice", Password: "correct horse battery"}, client))
	tokens := value(gate.Login(ctx, "alice", "correct horse battery", client))

	for _, authorization := range []string{"", "Bearer " + tokens.Access} {
		r := value(http.NewRequestWithContext(ctx, "GET", server.URL+"/orders", nil))
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Auth-User", "admin") // forged
		response := value(server.Client().Do(r))
		body := make([]byte, 100)
		n, _ := response.Body.Read(body)
		response.Body.Close()
		fmt.Println(response.StatusCode, string(body[:n]))
	}
	// Output:
	// 401 {"detail":"Authentication credentials were not provided."}
	// 200 orders of alice
}
