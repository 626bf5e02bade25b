package web_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/jotgatetest"
)

// The log names the setting and the origin of a page that is not listed: once, for at most ten origins, and nothing that
// no browser sends.
func TestUnlistedOriginIsLogged(t *testing.T) {
	for name, wrap := range map[string]func(*web.Shell) http.Handler{
		"wrapped": func(s *web.Shell) http.Handler {
			return s.Wrap(web.Endpoint{CORS: true}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		},
		"fast": func(s *web.Shell) http.Handler {
			return s.WrapFast(web.Endpoint{CORS: true}, func(http.ResponseWriter, *http.Request) (*jotgate.User, error) { return nil, nil })
		},
		"of one origin": func(s *web.Shell) http.Handler {
			return s.Wrap(web.Endpoint{}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		},
	} {
		for _, listed := range [][]string{nil, {"https://app.example.com"}} {
			var log bytes.Buffer
			gate := jotgatetest.New(t, func(s *jotgate.Settings) { s.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			shell, err := web.New(gate.Gate, web.Settings{CORS: web.CORSSettings{Origins: listed}})
			if err != nil {
				t.Fatal(err)
			}
			h := wrap(shell)
			send := func(method, origin string) {
				r := httptest.NewRequest(method, "/", nil)
				r.Header.Set("Origin", origin)
				r.Header.Set("Access-Control-Request-Method", "POST")
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			for _, origin := range append(listed, "null", "*", "nonsense", "https://a.example/path") {
				send(http.MethodOptions, origin)
			}
			send(http.MethodGet, "https://other.example.com")
			if log.Len() > 0 {
				t.Errorf("%s: %s", name, log.String())
			}
			for i := range 12 {
				for range 2 {
					send(http.MethodOptions, fmt.Sprintf("http://localhost:%d", 5173+i))
				}
			}
			got, want := strings.Count(log.String(), "--cors-origins"), 10
			if name == "of one origin" {
				want = 0
			}
			if got != want || want > 0 && strings.Count(log.String(), "origin=http://localhost:5173") != 1 {
				t.Errorf("%s, %d listed: %d lines, want %d\n%s", name, len(listed), got, want, log.String())
			}
		}
	}
}
