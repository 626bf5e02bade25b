package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// Mount registers the pages beside the program's own handlers.
func TestMount(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	pages.Mount(mux, jotgatetest.New(t).Gate, pages.Options{Site: "Example"})
	for path, want := range map[string]int{"/hello": 200, "/account/login": 200, "/account/": 303, "/account/nonsense": 404, "/": 404} {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("an invalid option is accepted")
		}
	}()
	pages.Mount(http.NewServeMux(), jotgatetest.New(t).Gate, pages.Options{Path: "account"})
}
