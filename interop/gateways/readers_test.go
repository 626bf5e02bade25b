package gateways

// What jotgate's proxy decided on, compared with what real servers behind it
// read: Go's ServeMux, Python's http.server and Node's http.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/proxy"
)

var listening = regexp.MustCompile(`listening on (http://\S+)`)

// readers are upstreams that answer any request with all they read of its path.
func readers(t testing.TB) map[string]string {
	t.Helper()
	mux := http.NewServeMux()
	answer := func(route string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			clean := path.Clean("/" + r.URL.Path)
			_ = json.NewEncoder(w).Encode(map[string]string{
				"ServeMux": route, "RequestURI": r.RequestURI, "URL.Path": r.URL.Path, "RawPath": r.URL.EscapedPath(), "Clean": clean,
			})
		}
	}
	mux.Handle("/api/", answer("/api/"))
	mux.Handle("/", answer("/"))
	own := httptest.NewServer(mux)
	t.Cleanup(own.Close)
	python := peer.Serve(t, exec.Command("/usr/bin/python3", "testdata/reader.py"))
	node := peer.Serve(t, exec.Command("node", "testdata/reader.mjs"))
	return map[string]string{
		"Go": own.URL, "Python": python.WaitFor(t, listening)[1], "Node": node.WaitFor(t, listening)[1],
	}
}

// proxies puts jotgate's proxy before each, with /api/ protected.
func proxies(t testing.TB) map[string]string {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key})
	if err != nil {
		t.Fatal(err)
	}
	fronts := map[string]string{}
	for name, address := range readers(t) {
		handler, err := proxy.New(guard, proxy.Settings{Upstream: address, Protect: []string{"/api/"}})
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		fronts[name] = server.Listener.Addr().String()
	}
	return fronts
}

// read asks for a path, without a token unless one is given, and returns what
// the server behind read; nil when it was not reached.
func read(t testing.TB, front, target, token string) map[string]string {
	t.Helper()
	head := fmt.Sprintf("GET %s HTTP/1.1", target)
	if token != "" {
		head += "\nAuthorization: Bearer " + token
	}
	status, _, body := send(t, front, head, "")
	if status == 401 || status == 400 || status == 0 {
		return nil
	}
	if status >= 300 && status < 400 { // ServeMux sends it elsewhere, where it is requested again
		return nil
	}
	readings := map[string]string{}
	if err := json.Unmarshal([]byte(body), &readings); err != nil || len(readings) < 4 {
		t.Fatalf("%q: %d %q", target, status, body)
	}
	return readings
}

// guarded tells whether a server that reads this path serves what is protected.
func guarded(p string) bool {
	p, _, _ = strings.Cut(p, "?")
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	p = strings.ToLower(p)
	return p == "/api" || strings.HasPrefix(p, "/api/")
}

// judge fails if any server read a protected path without a token.
func judge(t testing.TB, fronts map[string]string, target string) {
	t.Helper()
	for server, front := range fronts {
		for reading, p := range read(t, front, target, "") {
			if guarded(p) {
				t.Errorf("%s reads %q (%s) as %q, and no token was asked for", server, target, reading, p)
			}
		}
	}
}

var tricks = []string{
	"/api/x", "/api", "//api/x", "/%61pi/x", "/%2561pi/x", "/x/../api/", "/x/%2e%2e/api/", "/x/..%2fapi", "/api;a/x", "/x\\..\\api",
	"/API/x", "/api%20/x", "/api./x", "/api%00", "/health#/api/", "/x/..;/api/", "/%2fapi/x", "///api", "/x?/api/", "/ap%69?x",
	"http://h/api/x", "//h/api/x", "/.%2fapi", "/api%3f/x", "/api%23x", "/%ef%bc%8fapi/x", "/\u212api/x", "/x/%252e%252e/api",
	"/api%5cx", "%2fapi/x", "/api\tx", "/a%70%69/", "/x//../api/", "/x/.././api//", "/;/api/", "/[/../api/", "//[::1]/api/x",
}

func TestReaders(t *testing.T) {
	fronts := proxies(t)
	for server, front := range fronts {
		reached := read(t, front, "/open/x?y", "")
		if reached == nil || !strings.Contains(fmt.Sprint(reached), "/open/x") {
			t.Errorf("%s is not reached by an open path: %v", server, reached)
		}
		through := read(t, front, "/api/x", token(t, nil))
		if through == nil || !strings.Contains(fmt.Sprint(through), "/api/x") {
			t.Errorf("%s is not reached with a token: %v", server, through)
		}
	}
	for _, target := range tricks {
		judge(t, fronts, target)
	}
	for _, a := range attacks(t) {
		if fields := strings.Fields(a.head); fields[0] == "GET" {
			judge(t, fronts, fields[1])
		}
	}
}

// FuzzReaders looks for a path that is spelt so that the gate takes it for
// open, and a server behind for protected.
func FuzzReaders(f *testing.F) {
	for _, target := range tricks {
		f.Add(target)
	}
	fronts := proxies(f)
	f.Fuzz(func(t *testing.T, target string) {
		if target == "" || len(target) > 200 || strings.ContainsAny(target, " \r\n") {
			return
		}
		if _, err := url.ParseRequestURI(target); err != nil {
			return // the server itself refuses it
		}
		judge(t, fronts, target)
	})
}
