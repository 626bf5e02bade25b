package proxy

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
)

// request reads a request line as the server would.
func request(t testing.TB, target string) (*http.Request, bool) {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + target + " HTTP/1.1\r\nHost: example\r\n\r\n")))
	return r, err == nil
}

func TestCovers(t *testing.T) {
	covered := []string{
		"/api", "/api/", "/api/x", "/api/x?y", "/API/x", "/Api", "/ap%69/x", "/%61%70%69/x", "/ap%2569/x",
		"//api/x", "/./api/x", "/x/../api/y", "/x/%2e%2e/api/y", "/x/%2E%2E%2Fapi/y", "/x/..%5capi", "/x\\..\\api",
		"/api;a=1/x", "/;a/api", "/x;/../api/y", "/api./x", "/api%20/x", "/api%09", "/api%00", "/x%00/api",
		"/api/../public", "/public/..;/api/x", "http://example/api/x", "http://example//api/x", "/ap%C4%B1%00",
		"/%2fapi", "/%252fapi", "/%5capi", "/x/%2e%2e;/api", "/%c0%ae/api", "/.//api", "/%25252525616pi",
		"//host/api/x", "///host/api", "/\\host/api/x", "/%2f/host/api/x", "/api%3fx", "/api%23x", "/x%3f/../api/x", "/host%2f..//api",
	}
	for _, target := range covered {
		if r, ok := request(t, target); ok && !Covers([]string{"/api/"}, r) {
			t.Errorf("%q passes without a token", target)
		}
	}
	for _, target := range []string{
		"/", "/apix", "/apix/y", "/x/api", "/public", "/public?next=/api/", "/50%25-off", "/caf%C3%A9", "/a%20b",
		"/public/%2e/x", "/public//x", "/*", "/ap", "/v1.0/x", "/a;b=c",
	} {
		r, ok := request(t, target)
		if !ok {
			t.Fatalf("%q is no request", target)
		}
		if Covers([]string{"/api/"}, r) {
			t.Errorf("%q needs a token", target)
		}
	}
}

func TestCoversEverything(t *testing.T) {
	for _, target := range []string{"/", "/x", "//", "/%2e"} {
		if r, ok := request(t, target); !ok || !Covers([]string{"/"}, r) {
			t.Errorf("%q passes without a token", target)
		}
	}
}

// readers are ways in which servers read a path. If one of them sees the
// protected prefix, the gate must have asked for a token.
var readers = map[string]func(raw string) string{
	"as it stands":       func(raw string) string { return raw },
	"Go":                 func(raw string) string { p, _ := url.PathUnescape(raw); return p },
	"Go, cleaned":        func(raw string) string { p, _ := url.PathUnescape(raw); return path.Clean("/" + p) },
	"cleaned, then read": func(raw string) string { p, _ := url.PathUnescape(path.Clean("/" + raw)); return p },
	"read twice":         func(raw string) string { p, _ := url.PathUnescape(raw); p, _ = url.PathUnescape(p); return p },
	"Express": func(raw string) string {
		p, _ := url.PathUnescape(raw)
		return strings.ToLower(p)
	},
	"IIS": func(raw string) string {
		p, _ := url.PathUnescape(raw)
		return strings.ToLower(path.Clean("/" + strings.ReplaceAll(p, `\`, "/")))
	},
	"relative to an address": func(raw string) string {
		u, err := (&url.URL{Scheme: "http", Host: "example"}).Parse(raw)
		if err != nil {
			return raw
		}
		return u.Path
	},
	"read, then cut": func(raw string) string {
		p, _ := url.PathUnescape(raw)
		p, _, _ = strings.Cut(p, "?")
		return p
	},
	"servlet": func(raw string) string {
		parts := strings.Split(raw, "/")
		for i := range parts {
			parts[i], _, _ = strings.Cut(parts[i], ";")
		}
		p, _ := url.PathUnescape(strings.Join(parts, "/"))
		return path.Clean("/" + p)
	},
	"nginx": func(raw string) string {
		p, _ := url.PathUnescape(raw)
		for strings.Contains(p, "//") {
			p = strings.ReplaceAll(p, "//", "/")
		}
		return path.Clean(p)
	},
	"C": func(raw string) string { p, _ := url.PathUnescape(raw); p, _, _ = strings.Cut(p, "\x00"); return p },
}

// What the gate decided on is never less than what any reader behind it sees.
func FuzzCovers(f *testing.F) {
	for _, seed := range []string{"/api/x", "/x/..%2fapi", "//api", "/%61pi", "/api;x", "/x\\api", "/%2561pi", "/a/%2e%2e/api/", "/public"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \r\n\t?#") {
			return
		}
		r, ok := request(t, target)
		if !ok || Covers([]string{"/api/"}, r) {
			return
		}
		for name, read := range readers {
			if p := read(target); strings.HasPrefix(p, "/api/") || p == "/api" {
				t.Errorf("%s reads %q as %q, and no token was asked for", name, target, p)
			}
		}
	})
}

func BenchmarkCovers(b *testing.B) {
	r := httptest.NewRequest("GET", "/api/v1/things/17?x=y", nil)
	for b.Loop() {
		Covers([]string{"/api/"}, r)
	}
}
