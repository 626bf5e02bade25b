package gateways

// The API behind, which remembers what it saw, and the client in front, which
// sends what no decent client would.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
)

// api answers everything with 200 and notes it.
type api struct {
	address string
	mu      sync.Mutex
	seen    []seen
}

// seen is a request as it arrived.
type seen struct {
	method, target string
	header         http.Header
	host           string
}

func newAPI(t testing.TB) *api {
	a := &api{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.seen = append(a.seen, seen{r.Method, r.RequestURI, r.Header.Clone(), r.Host})
		w.Header().Set("Access-Control-Allow-Origin", "*") // of its own, which the gateway replaces for listed origins
		if r.URL.Path == "/api/503" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, "from the API")
	}))
	t.Cleanup(server.Close)
	a.address = server.Listener.Addr().String()
	return a
}

// take returns what arrived since the last call.
func (a *api) take() []seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := a.seen
	a.seen = nil
	return all
}

// identity is what the API would take for the user: the X-Auth headers, as a
// server reads them that does not tell "-" from "_".
func (s seen) identity() map[string]string {
	found := map[string]string{}
	for name, values := range s.header {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		if rest, ok := strings.CutPrefix(plain, "x-auth-"); ok && strings.Join(values, "") != "" {
			found[rest] += strings.Join(values, "|")
		}
	}
	return found
}

// readings are the paths that a server may read out of the request.
func (s seen) readings() []string {
	target := s.target
	if u, err := url.Parse(target); err == nil && u.Host != "" {
		target = u.EscapedPath()
	}
	raw, _, _ := strings.Cut(target, "?")
	once, _ := url.PathUnescape(raw)
	twice, _ := url.PathUnescape(once)
	var all []string
	for _, p := range []string{raw, once, twice} {
		whole, _, _ := strings.Cut(p, "#")
		back := strings.ReplaceAll(whole, `\`, "/")
		bare := withoutParameters(back)
		all = append(all, p, whole, back, bare, path.Clean("/"+back), path.Clean("/"+bare))
	}
	return all
}

func withoutParameters(p string) string {
	parts := strings.Split(p, "/")
	for i := range parts {
		parts[i], _, _ = strings.Cut(parts[i], ";")
	}
	return strings.Join(parts, "/")
}

// protected tells whether some server would take it for something under /api/.
func (s seen) protected() bool {
	for _, p := range s.readings() {
		for strings.Contains(p, "//") {
			p = strings.ReplaceAll(p, "//", "/")
		}
		if p = strings.ToLower(p); p == "/api" || strings.HasPrefix(p, "/api/") {
			return true
		}
	}
	return false
}

// listens waits until a gateway accepts connections on both ports: it opens one after the other.
func (f *front) listens(t testing.TB, process *peer.Server) {
	t.Helper()
	waitFor(t, f.address, process)
	waitFor(t, f.staff, process)
}

// send writes a request as it stands and returns the answer; status 0 is a
// connection that was closed without one.
func send(t testing.TB, address, head, body string) (status int, header http.Header, text string) {
	t.Helper()
	return sendFrom(t, "127.0.0.1", address, head, body)
}

// sendFrom is send from another address of this machine.
func sendFrom(t testing.TB, client, address, head, body string) (status int, header http.Header, text string) {
	t.Helper()
	dialer := net.Dialer{Timeout: wait.Limit, LocalAddr: &net.TCPAddr{IP: net.ParseIP(client)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(wait.Deadline())
	line, rest, _ := strings.Cut(head, "\n")
	if !strings.Contains(strings.ToLower(rest), "host:") {
		rest = "Host: shop.example\n" + rest
	}
	if !strings.Contains(strings.ToLower(rest), "connection:") {
		rest = "Connection: close\n" + rest
	}
	message := line + "\n" + strings.TrimRight(rest, "\n") + "\n\n"
	fmt.Fprint(conn, strings.ReplaceAll(message, "\n", "\r\n")+body)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, nil, ""
	}
	data, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, answer.Header, string(data)
}
