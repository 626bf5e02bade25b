package main

// The servers: jotgate, the bare ones to compare it with, and the API behind the
// proxies. All but jotgate are this program, started again.

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"reflect"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/bench/binary"
	"github.com/jotgate/jotgate/jwt"
)

const (
	serveArgument = "serve-bare"
	answer        = `{"message":"hello","things":[1,2,3,4,5,6,7,8,9]}`
)

// A target is a URL for wrk. base is the index of the bare one to compare it with, same
// that of the bare one which also sends the same headers.
type target struct {
	name, process, path string
	base, same          int
	body                string
	guarded             bool
	url                 string
}

// A site is all servers.
type site struct {
	folder  string
	servers map[string]*binary.Server
	token   string
}

func (s *site) targets() []target {
	all := []target{
		{"bare handler", "handler", "/auth/check", 0, 0, "", false, ""},
		{"bare handler that sends the headers of jotgate's /auth/check", "headers", "/auth/check", 0, 1, "", false, ""},
		{"jotgate, GET /auth/check", "gate", "/auth/check", 0, 1, "", true, ""},
		{"jotgate --remember-tokens 0, GET /auth/check", "forgetful", "/auth/check", 0, 1, "", true, ""},
		{"library: Require(handler)", "library", "/auth/check", 0, 0, "", true, ""},
		{"library: Require(handler), RememberTokens: 1000", "remembering", "/auth/check", 0, 0, "", true, ""},
		{"bare httputil.ReverseProxy", "proxy", "/api/things", 6, 6, answer, false, ""},
		{"jotgate, --upstream", "front", "/api/things", 6, 6, answer, true, ""},
	}
	for i := range all {
		all[i].url = "http://" + s.servers[all[i].process].Address + all[i].path
	}
	return all
}

// start starts all servers. Its result must be stopped, also after an error.
func start(jotgate string) (*site, error) {
	s := &site{servers: map[string]*binary.Server{}}
	var err error
	if s.folder, err = os.MkdirTemp("", "jotgate-load"); err != nil {
		return s, err
	}
	if jotgate == "" {
		if jotgate, err = binary.Build(s.folder); err != nil {
			return s, err
		}
	}
	key, err := jwt.NewHMAC(jwt.HS256, []byte(binary.Secret))
	if err != nil {
		return s, err
	}
	s.token, err = jwt.Sign(key, map[string]any{
		"token_type": "access", "exp": time.Now().Unix() + 3600, "iat": time.Now().Unix(), "jti": "5f3e1c9a7b2d4e6f8091a2b3c4d5e6f7",
		"user_id": "42", "sid": "00112233445566778899aabbccddeeff", "username": "alice", "email": "alice@example.com",
		"role": map[string]any{"id": "staff", "display_name": "Staff", "role_type": "staff"},
	})
	if err != nil {
		return s, err
	}
	self, err := os.Executable()
	if err != nil {
		return s, err
	}
	for _, bare := range []string{"api", "handler", "headers", "library", "remembering"} {
		if s.servers[bare], err = binary.Start(exec.Command(self, serveArgument, bare)); err != nil {
			return s, err
		}
	}
	api := "http://" + s.servers["api"].Address
	if s.servers["proxy"], err = binary.Start(exec.Command(self, serveArgument, api)); err != nil {
		return s, err
	}
	for name, flags := range map[string][]string{
		"gate":      nil,
		"forgetful": {"--remember-tokens", "0"},
		"front":     {"--protect", "/api/", "--upstream", api},
	} {
		if s.servers[name], err = binary.Serve(jotgate, s.folder, append(flags, "--database", "sqlite:"+name+".db")...); err != nil {
			return s, err
		}
	}
	return s, nil
}

// stop stops all servers and removes the folder.
func (s *site) stop() {
	for _, server := range s.servers {
		_ = server.Stop()
	}
	_ = os.RemoveAll(s.folder)
}

// serveBare runs one of the bare servers by name, or a reverse proxy before an address.
func serveBare(what string) {
	var handler http.Handler
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	switch what {
	case "handler":
		handler = ok
	case "headers":
		handler = withHeaders(ok)
	case "library":
		handler = guard(0).Require(ok)
	case "remembering":
		handler = guard(1000).Require(ok)
	case "api":
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, answer)
		})
	default:
		behind, err := url.Parse(what)
		fail(err)
		handler = bareProxy(behind)
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	fail(err)
	fmt.Printf("listening on http://%s\n", listener.Addr())
	fail(http.Serve(listener, handler))
}

// guard is the handler of a Go program that verifies tokens itself.
func guard(remember int) *jotgate.Guard {
	key, err := jwt.NewHMAC(jwt.HS256, []byte(binary.Secret))
	fail(err)
	g, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key, RememberTokens: remember})
	fail(err)
	return g
}

// withHeaders sends the headers of /auth/check; site.check compares the two. The values
// are constant, which is less work than in jotgate.
func withHeaders(next http.Handler) http.Handler {
	fixed := http.Header{
		"Cache-Control": {"no-store"}, "X-Auth-Id": {"42"}, "X-Auth-User": {"alice"}, "X-Auth-Role": {"staff"},
		"X-Auth-Email": {"alice@example.com"}, "X-Auth-Groups": {""}, "X-Auth-Session": {"00112233445566778899aabbccddeeff"}, "X-Auth-Actor": {""},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), fixed)
		next.ServeHTTP(w, r)
	})
}

// bareProxy keeps as many idle connections as jotgate's proxy does. The default of two
// would make it slower.
func bareProxy(behind *url.URL) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 0
	return &httputil.ReverseProxy{
		Transport: transport,
		Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(behind); p.SetXForwarded() },
	}
}

// check checks that each server sends the same response as the bare one, and refuses a
// request without a valid token.
func (s *site) check(targets []target) error {
	headers := map[string]http.Header{}
	for _, t := range targets {
		status, body, header, err := t.ask("Bearer " + s.token)
		if err != nil || status != 200 || body != t.body {
			return fmt.Errorf("%s answers %d %q %w", t.name, status, body, err)
		}
		header.Del("Date")
		headers[t.process] = header
		if status, _, _, err := t.ask("Bearer " + s.token + "x"); err != nil || (status == 401) != t.guarded {
			return fmt.Errorf("%s answers %d to a bad token", t.name, status)
		}
	}
	if bare, own := headers["headers"], headers["gate"]; !reflect.DeepEqual(bare, own) {
		return fmt.Errorf("the bare handler should send %v, it sends %v", own, bare)
	}
	return nil
}

func (t target) ask(authorization string) (status int, body string, header http.Header, err error) {
	request, err := http.NewRequest(http.MethodGet, t.url, nil)
	if err != nil {
		return 0, "", nil, err
	}
	request.Header.Set("Authorization", authorization)
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Header, err
}
