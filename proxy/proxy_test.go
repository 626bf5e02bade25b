package proxy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/proxy"
)

const secret = "golden-secret-key-golden-secret-key-golden-secret-key-0123456789"

// seen is what the upstream saw of a request.
type seen struct {
	Path   string
	Host   string
	Header http.Header
}

// upstream answers with what it saw.
func upstream(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(seen{r.RequestURI, r.Host, r.Header})
}

// start serves a proxy before an upstream.
func start(t testing.TB, behind http.HandlerFunc, change func(*proxy.Settings)) *httptest.Server {
	t.Helper()
	gate := unstarted(t, behind, change)
	gate.Start()
	return gate
}

func unstarted(t testing.TB, behind http.HandlerFunc, change func(*proxy.Settings)) *httptest.Server {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key})
	if err != nil {
		t.Fatal(err)
	}
	return unstartedWith(t, guard, behind, change)
}

// unstartedWith is unstarted for a guard with settings of its own.
func unstartedWith(t testing.TB, guard *jotgate.Guard, behind http.HandlerFunc, change func(*proxy.Settings)) *httptest.Server {
	t.Helper()
	api := httptest.NewServer(behind)
	t.Cleanup(api.Close)
	s := proxy.Settings{Upstream: api.URL, Protect: []string{"/api/"}}
	if change != nil {
		change(&s)
	}
	handler, err := proxy.New(guard, s)
	if err != nil {
		t.Fatal(err)
	}
	gate := httptest.NewUnstartedServer(handler)
	gate.Config.ReadHeaderTimeout, gate.Config.IdleTimeout = 2*wait.Limit, 2*wait.Limit // no connection ends by them
	t.Cleanup(gate.Close)
	return gate
}

func token(t *testing.T, username string) string {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jwt.Sign(key, map[string]any{
		"token_type": "access", "exp": time.Now().Unix() + 3600, "jti": "x", "user_id": "7", "username": username,
		"role": map[string]any{"id": "user", "display_name": "User", "role_type": "user"},
		"sid":  "00112233445566778899aabbccddeeff", "groups": []string{"a,b", "c"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// send writes a request as it stands, since a client would tidy its path, and
// returns the answer.
func send(t *testing.T, server *httptest.Server, head string) (*http.Response, seen) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "%s\r\nHost: shop.example\r\nConnection: close\r\n\r\n", strings.ReplaceAll(head, "\n", "\r\n"))
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(res.Body)
	var s seen
	_ = json.Unmarshal(body, &s)
	return res, s
}

func TestProtectedNeedsAToken(t *testing.T) {
	gate := start(t, upstream, nil)
	res, _ := send(t, gate, "GET /api/things HTTP/1.1")
	if res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Errorf("without a token: %d %v", res.StatusCode, res.Header)
	}
	res, s := send(t, gate, "GET /api/things?x=%2F HTTP/1.1\nAuthorization: Bearer "+token(t, "zoé, \r\nX-Evil: 1"))
	if res.StatusCode != 200 || s.Path != "/api/things?x=%2F" || s.Host != "shop.example" {
		t.Fatalf("with a token: %d %+v", res.StatusCode, s)
	}
	for name, want := range map[string]string{
		"X-Auth-Id": "7", "X-Auth-User": "zo%C3%A9, %0D%0AX-Evil: 1", "X-Auth-Role": "user",
		"X-Auth-Session": "00112233445566778899aabbccddeeff", "X-Auth-Groups": "a%2Cb,c", "X-Auth-Email": "", "X-Auth-Actor": "", "X-Evil": "",
	} {
		if got := s.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.HasPrefix(s.Header.Get("Authorization"), "Bearer ") {
		t.Error("the upstream does not see the token")
	}
}

// Nobody but the gate tells the upstream who the user is.
func TestForgedIdentity(t *testing.T) {
	gate := start(t, upstream, func(s *proxy.Settings) { s.DropToken = true })
	forged := "\nX-Auth-User: root\nx-auth-id: 1\nX_Auth_Role: admin\nX-Auth_Email: root@example.com\nX-Auth-Groups: admins"
	_, s := send(t, gate, "GET /public HTTP/1.1"+forged)
	for name := range s.Header {
		if strings.HasPrefix(strings.ReplaceAll(strings.ToLower(name), "_", "-"), "x-auth") {
			t.Errorf("the upstream sees a forged %s: %q", name, s.Header[name])
		}
	}
	// Not even by naming the gate's headers as belonging to the connection.
	res, s := send(t, gate, "GET /api/x HTTP/1.1\nConnection: X-Auth-User, X-Auth-Id\nAuthorization: Token "+token(t, "alice")+forged)
	if res.StatusCode != 200 || s.Header.Get("X-Auth-User") != "alice" || s.Header.Get("X-Auth-Id") != "7" || s.Header.Get("X-Auth-Role") != "user" {
		t.Errorf("%d %v", res.StatusCode, s.Header)
	}
	if s.Header.Get("Authorization") != "" {
		t.Error("the token was to be dropped")
	}
}

func TestPathTricks(t *testing.T) {
	gate := start(t, upstream, nil)
	for _, path := range []string{
		"//api/x", "/./api/x", "/public/../api/x", "/public/%2e%2e/api/x", "/public/..%2fapi/x", "/%61pi/x", "/%2561pi/x",
		"/API/x", "/api;a=1/x", "/;a/api/x", "/x\\..\\api", "/public/..;/api/x", "/api", "/api%20/", "/%2fapi", "http://h//api/x",
	} {
		if res, s := send(t, gate, "GET "+path+" HTTP/1.1"); res.StatusCode == 200 {
			t.Errorf("%s reached the upstream as %s", path, s.Path)
		}
	}
	if res, s := send(t, gate, "GET /public HTTP/1.1"); res.StatusCode != 200 || s.Path != "/public" {
		t.Errorf("an open path: %d %+v", res.StatusCode, s)
	}
}

func TestUpstreamDown(t *testing.T) {
	gate := start(t, upstream, func(s *proxy.Settings) { s.Upstream = "http://127.0.0.1:1" }) // nothing listens there
	res, _ := send(t, gate, "GET /public HTTP/1.1")
	if res.StatusCode != 502 || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

// A WebSocket may be silent for longer than a client may take to accept a piece.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	gate := start(t, func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer c.CloseNow()
		kind, message, err := c.Read(r.Context())
		time.Sleep(limit * 3 / 2)
		if err == nil {
			_ = c.Write(r.Context(), kind, append([]byte(r.Header.Get("X-Auth-User")+" said "), message...))
		}
	}, func(s *proxy.Settings) { s.ClientTimeout = limit })
	address := "ws" + strings.TrimPrefix(gate.URL, "http") + "/api/chat"
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit)
	defer cancel()
	if _, res, err := websocket.Dial(ctx, address, nil); err == nil || res.StatusCode != 401 {
		t.Fatalf("without a token: %v %v", res, err)
	}
	header := http.Header{"Authorization": {"Bearer " + token(t, "alice")}}
	c, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, message, err := c.Read(ctx); err != nil || string(message) != "alice said hello" {
		t.Errorf("%q %v", message, err)
	}
}

// A streamed answer arrives piece by piece, not at its end.
func TestStreaming(t *testing.T) {
	next := make(chan struct{})
	gate := start(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first\n")
		w.(http.Flusher).Flush()
		<-next
		_, _ = io.WriteString(w, "second\n")
	}, nil)
	res, err := http.Get(gate.URL + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := bufio.NewReader(res.Body)
	if line, err := lines.ReadString('\n'); line != "first\n" || err != nil {
		t.Fatalf("%q %v", line, err)
	}
	close(next)
	if line, err := lines.ReadString('\n'); line != "second\n" || err != nil {
		t.Fatalf("%q %v", line, err)
	}
}

// Who asks and never reads the refusals is let go: by the deadline for writing
// or, when full buffers keep the next request from coming, by that for idle
// connections and for headers.
func TestWhoDoesNotReadRefusals(t *testing.T) {
	t.Parallel()
	gate := unstarted(t, upstream, func(s *proxy.Settings) { s.ClientTimeout = limit })
	gate.Config.ReadHeaderTimeout, gate.Config.IdleTimeout = limit, limit
	closed := make(chan string, 10) // addresses; a client whose buffer is full may not hear of it
	gate.Config.ConnState = func(c net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- c.RemoteAddr().String()
		}
	}
	gate.Start()
	conn, err := net.Dial("tcp", gate.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	go func() {
		for err == nil {
			_, err = io.WriteString(conn, strings.Repeat("GET /api/things HTTP/1.1\r\nHost: x\r\n\r\n", 100))
		}
	}()
	for wait.For(t, "the connection is closed", closed) != conn.LocalAddr().String() {
	}
}

func TestSettings(t *testing.T) {
	guard := new(jotgate.Guard)
	good := proxy.Settings{Upstream: "http://127.0.0.1:1", Protect: []string{"/"}}
	if _, err := proxy.New(guard, good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*proxy.Settings){
		"no upstream":     func(s *proxy.Settings) { s.Upstream = "" },
		"no scheme":       func(s *proxy.Settings) { s.Upstream = "127.0.0.1:3000" },
		"another scheme":  func(s *proxy.Settings) { s.Upstream = "ftp://127.0.0.1:1" },
		"nothing to keep": func(s *proxy.Settings) { s.Protect = nil },
		"relative prefix": func(s *proxy.Settings) { s.Protect = []string{"api/"} },
		"relative step":   func(s *proxy.Settings) { s.StepUp = map[string][]jotgate.Requirement{"api/": {jotgate.ACR("aal2")}} },
		"empty step":      func(s *proxy.Settings) { s.StepUp = map[string][]jotgate.Requirement{"/api/": nil} },
	} {
		s := good
		change(&s)
		if _, err := proxy.New(guard, s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
