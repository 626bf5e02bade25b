package proxy_test

// What a client says that only a gateway may say, and what would lead around
// the gate.

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/proxy"
)

func TestForwardedHeadersAreTheProxysOwn(t *testing.T) {
	gate := start(t, upstream, nil)
	_, s := send(t, gate, "GET /public HTTP/1.1\nAccept: text/plain\nX-Forwarded-For: 1.2.3.4\nX_Forwarded_For: 1.2.3.4\n"+
		"X-Forwarded-Host: evil.invalid\nX-Forwarded-Prefix: /api\nForwarded: host=evil.invalid\n"+
		"X-Original-URL: /api/x\nX_Rewrite_URL: /api/x\nx-rewrite-url: /api/x")
	for name, values := range s.Header {
		if value := strings.Join(values, ","); strings.Contains(value, "evil") || strings.Contains(value, "1.2.3.4") || strings.Contains(value, "/api") {
			t.Errorf("the upstream is told %s: %s", name, value)
		}
	}
	if s.Header.Get("Accept") != "text/plain" || s.Header.Get("X-Forwarded-For") != "127.0.0.1" || s.Header.Get("X-Forwarded-Host") != "shop.example" {
		t.Errorf("the upstream lacks what it should be told: %v", s.Header)
	}
}

// Only WebSocket may take the place of HTTP/1.1: behind a change to h2c, nobody
// checks what is asked.
func TestProtocols(t *testing.T) {
	gate := start(t, upstream, nil)
	for upgrade, want := range map[string]string{
		"websocket": "websocket", "WebSocket": "WebSocket", "h2c": "", "websocket, h2c": "", "TLS/1.2": "",
	} {
		_, s := send(t, gate, "GET /public HTTP/1.1\nConnection: Upgrade, HTTP2-Settings\nHTTP2-Settings: AAMAAABk\nUpgrade: "+upgrade)
		if got := s.Header.Get("Upgrade"); s.Path != "/public" || got != want || s.Header.Get("HTTP2-Settings") != "" {
			t.Errorf("Upgrade: %s arrives as %q: %v", upgrade, got, s.Header)
		}
	}
}

// A request that has not ended cannot change to another protocol.
func TestProtocolsAfterABody(t *testing.T) {
	gate := start(t, upstream, nil)
	for body, want := range map[string]bool{"": true, "x": false} {
		c := dial(t, gate)
		c.say(fmt.Sprintf("GET /public HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket\nContent-Length: %d", len(body)), body)
		res, answer := c.hear(t)
		if got := strings.Contains(answer, "websocket"); res.StatusCode != 200 || got != want {
			t.Errorf("with the body %q: %d %s", body, res.StatusCode, answer)
		}
	}
}

func TestMethods(t *testing.T) {
	gate := start(t, upstream, nil)
	for method, want := range map[string]int{"GET": 200, "OPTIONS": 200, "TRACE": 405, "CONNECT": 405} {
		res, s := send(t, gate, method+" /public HTTP/1.1")
		if res.StatusCode != want || (s.Path != "") != (want == 200) {
			t.Errorf("%s: %d, the upstream saw %q", method, res.StatusCode, s.Path)
		}
	}
}

// A check answers with every header, so that none of a client's can stay.
func TestIdentifyAll(t *testing.T) {
	h := http.Header{"X-Auth-Email": {"root@example.com"}}
	proxy.IdentifyAll(h, &jotgate.User{ID: "7", Username: "alice"})
	for name, want := range map[string]string{
		"X-Auth-Id": "7", "X-Auth-User": "alice", "X-Auth-Role": "", "X-Auth-Email": "", "X-Auth-Groups": "", "X-Auth-Session": "", "X-Auth-Actor": "",
	} {
		if got := h[name]; len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// A chunked request is the last one of its connection, whether it is let through
// or refused: a length may have stood beside the chunks.
func TestChunkedRequestsEndTheConnection(t *testing.T) {
	gate := start(t, upstream, nil)
	for framing, want := range map[string]bool{"Content-Length: 0\r\n\r\n": false, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n": true} {
		for _, path := range []string{"/open", "/api/closed"} {
			conn, err := net.Dial("tcp", gate.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: shop.example\r\n%s", path, framing)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Close != want {
				t.Errorf("%s %q: the connection ends: %v", path, framing, res.Close)
			}
		}
	}
}
