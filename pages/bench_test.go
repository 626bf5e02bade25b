package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// BenchmarkPage reports the server time of a page, for a user who is signed in except
// for the first two. It should be under 2 ms:
//
//	go test -run x -bench Page ./pages
func BenchmarkPage(b *testing.B) {
	gate := jotgatetest.New(b)
	gate.User("alice")
	p, err := pages.New(gate.Gate, pages.Options{})
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"username": {"alice"}, "password": {jotgatetest.Password}}
	login := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "https://example.com/account/login", strings.NewReader(form.Encode()))
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	login.Header.Set("Sec-Fetch-Site", "same-origin")
	in := httptest.NewRecorder()
	p.ServeHTTP(in, login)
	for _, path := range []string{"login", "signup", "", "password", "emails", "security", "sessions", "activity", "data", "again"} {
		b.Run("/account/"+path, func(b *testing.B) {
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://example.com/account/"+path, nil)
				for _, c := range in.Result().Cookies() {
					if path != "login" && path != "signup" {
						r.AddCookie(c)
					}
				}
				w := httptest.NewRecorder()
				if p.ServeHTTP(w, r); w.Code != http.StatusOK {
					b.Fatal(w.Code, w.Header())
				}
			}
		})
	}
}
