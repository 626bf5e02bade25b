package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/jotgatetest"
)

// site is a program of twenty lines that serves one page with the full
// protection: what pages and admin do with every page of theirs.
func site(t *testing.T) http.Handler {
	gate := jotgatetest.New(t)
	shell, err := web.New(gate.Gate, web.Settings{
		Rates:        map[string]string{"page": "3/min"},
		AllowedHosts: []string{"example.com"}, CORS: web.CORSSettings{Origins: []string{"https://app.example.com"}},
		Timeout: wait.Limit,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("panic") {
			panic("a bug")
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, "<!doctype html><title>Hello</title>")
	}
	policy := func(h http.Header) { h.Set("Content-Security-Policy", "default-src 'self'") }
	web.Handle(mux, "/hello/", shell.Wrap(web.Endpoint{Allow: "GET", Scope: "page", Headers: policy}, http.HandlerFunc(page)))
	return mux
}

// get sends one request; change may alter it.
func get(h http.Handler, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://example.com"+path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestShellProtectsAPage(t *testing.T) {
	h := site(t)
	w := get(h, "/hello/", func(r *http.Request) { r.Header.Set("Origin", "https://app.example.com") })
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Hello") {
		t.Fatalf("status %d, body %q", w.Code, w.Body)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'self'", "Allow": "GET",
		"Access-Control-Allow-Origin": "", // CORS is off unless the endpoint asks for it
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if w.Header().Get(web.RequestID) == "" {
		t.Error("the response has no request id")
	}
}

func TestShellRejectsOtherHosts(t *testing.T) {
	w := get(site(t), "/hello/", func(r *http.Request) { r.Host = "evil.example" })
	if w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "Hello") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

func TestShellLimitsTheRate(t *testing.T) {
	h := site(t)
	for i := range 4 {
		w := get(h, "/hello", nil) // counted together with /hello/
		if want := map[bool]int{true: 200, false: 429}[i < 3]; w.Code != want {
			t.Errorf("request %d: status %d, want %d", i+1, w.Code, want)
		}
		if i == 3 && w.Header().Get("Retry-After") == "" {
			t.Error("a 429 without Retry-After")
		}
	}
	other := get(h, "/hello/", func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" })
	if other.Code != 200 {
		t.Errorf("another network is limited, too: status %d", other.Code)
	}
}

func TestShellRecovers(t *testing.T) {
	w := get(site(t), "/hello/?panic", nil)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "a bug") {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
	if w.Header().Get("Content-Security-Policy") != "default-src 'self'" || w.Header().Get(web.RequestID) == "" {
		t.Errorf("a recovered response lacks the endpoint's headers: %v", w.Header())
	}
}
