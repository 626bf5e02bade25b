package pages_test

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
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/store/sqlite"
)

// value keeps the example short; a program handles its errors.
func value[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A page of a program that only signed-in users see: others are sent to the login page
// and, after the login, back.
func ExamplePages_SignedIn() {
	folder := value(os.MkdirTemp("", "jotgate"))
	defer os.RemoveAll(folder)
	db := value(sqlite.Open(context.Background(), filepath.Join(folder, "users.db"), sqlite.Options{}))
	defer db.Close()
	gate := value(jotgate.New(jotgate.Settings{
		SecretKey: "read this from the environment, 32 bytes or more", Logger: slog.New(slog.DiscardHandler),
	}, db))
	endpoints := value(api.New(gate, api.Settings{BaseURL: "https://example.com"}))
	p := value(pages.New(gate, pages.Options{Site: "Example", BaseURL: "https://example.com", API: endpoints}))

	mux := http.NewServeMux()
	endpoints.Mount(mux)
	p.Mount(mux)
	mux.HandleFunc("GET /orders", func(w http.ResponseWriter, r *http.Request) {
		user, err := p.SignedIn(w, r)
		switch {
		case err != nil:
			http.Error(w, "Try again later.", http.StatusServiceUnavailable)
		case user == nil:
			p.ToLogin(w, r)
		default:
			fmt.Fprintf(w, "Orders of %s", user.Username)
		}
	})

	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), "GET", "https://example.com/orders", nil))
	fmt.Println(w.Code, w.Header().Get("Location"))
	// Output:
	// 303 /account/login?next=%2Forders
}
