package pages_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jotgate/jotgate/pages"
)

// Every page has the security headers, also one that is not found and one that
// is refused.
func TestHeaders(t *testing.T) {
	s := newSite(t, pages.Options{Welcome: true})
	s.gate.User("alice")
	s.signIn("alice")
	for path, status := range map[string]int{
		"/": 200, "/account/": 200, "/account/security": 200, "/account/reset": 200, "/account/reset/confirm": 200, "/account/nothing": 404, "/account/token": 405,
	} {
		got := s.get(path)
		if got.status != status {
			t.Errorf("%s: %d", path, got.status)
		}
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; connect-src 'self'; " +
				"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
			"Permissions-Policy":         "publickey-credentials-get=(self), publickey-credentials-create=(self)",
			"Cross-Origin-Opener-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, got.header.Get(name))
			}
		}
	}
}

var asset = regexp.MustCompile(`(?:href|src)="(/account/static/[^"]+)"`)

// Static files are immutable, small, and the only requests that a page causes.
func TestStaticFiles(t *testing.T) {
	s := newSite(t, pages.Options{Accent: "#ffd400"})
	page := s.get("/account/login")
	found := asset.FindAllStringSubmatch(page.body, -1)
	if len(found) != 2 || len(page.body) > 30<<10 {
		t.Fatalf("%d files, %d bytes", len(found), len(page.body))
	}
	for _, m := range found {
		file := s.get(m[1])
		if file.status != 200 || len(file.body) > 12<<10 || file.header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Errorf("%s: %d, %d bytes, %v", m[1], file.status, len(file.body), file.header)
		}
	}
	if style := s.get(found[0][1]).body; !strings.Contains(style, "--jg-on-accent:#ffffff") || !strings.Contains(style, "--jg-accent:#ffd400") {
		t.Error("the accent color is not adjusted to light and dark pages")
	}
	if got := s.get("/account/static/style-0000000000000000.css"); got.status != 404 {
		t.Errorf("a file of another version: %d", got.status)
	}
}

// A theme replaces templates by name; one that cannot be used is an error with
// its file and line.
func TestTheme(t *testing.T) {
	s := newSite(t, pages.Options{Theme: fstest.MapFS{
		"done.html": {Data: []byte(`<h1>Look into your mailbox</h1>`)}, "theme.css": {Data: []byte("body{color:red}")},
		"catalog/en.txt": {Data: []byte("login.title = Welcome back\n")},
	}})
	s.is(s.get("/account/done"), 200, "/account/done", "Look into your mailbox")
	s.is(s.get("/account/login"), 200, "/account/login", "Welcome back")
	for name, want := range map[string]string{
		"login.html\n<h1>\n{{.T \"login.title\"": "login.html:3", "login.html\n<p>\n{{.Nothing}}": "login.html:3", "other.html\n": "other.html",
	} {
		file, text, _ := strings.Cut(name, "\n")
		_, err := pages.New(s.gate.Gate, pages.Options{Theme: fstest.MapFS{file: {Data: []byte("\n" + text)}}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestNext(t *testing.T) {
	s := newSite(t, pages.Options{Next: []string{"https://app.example.com"}, BaseURL: "http://id.example.com"})
	s.gate.User("alice")
	s.fresh()
	for next, safe := range map[string]bool{
		"/tool?a=b": true, "https://app.example.com/x": true, "http://id.example.com/x": true,
		"//evil.example/x": false, "/\\evil.example": false, "\\\\evil.example": false, "https://evil.example/": false, "https://app.example.com.evil.example/": false,
		"https://app.example.com@evil.example/": false, "http://app.example.com/": false, "javascript:alert(1)": false, "/\t/evil.example": false,
		"data:text/html,x": false, "tool": false, " /tool": false, "": false,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/account/login", nil)
		query := r.URL.Query()
		query.Set("next", next)
		r.URL.RawQuery = query.Encode()
		body := s.send(r).body
		if kept := strings.Contains(body, `action="/account/login?next=`); kept != safe {
			t.Errorf("next=%q is kept: %v", next, kept)
		}
	}
}

func TestInvalidOptions(t *testing.T) {
	s := newSite(t, pages.Options{})
	for want, o := range map[string]pages.Options{
		"Path": {Path: "account"}, "Next": {Next: []string{"https://app.example.com/"}}, "Accent": {Accent: "red"}, "Logo": {Logo: "logo.exe"},
		"Home": {Home: "https://elsewhere.example/"}, "BaseURL": {BaseURL: "example.com"},
	} {
		if _, err := pages.New(s.gate.Gate, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
