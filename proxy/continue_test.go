package proxy_test

// 100 Continue: a client that asks for it gets one, whatever the upstream does.

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/proxy"
)

// An upstream may send 100 Continue before it reads the body, after it has the body (because the proxy
// has waited for a second), or never. A client that did not ask for it gets none.
func TestOneContinue(t *testing.T) {
	const asks, does = "POST /open HTTP/1.1\nContent-Length: 10\nExpect: 100-continue", "POST /open HTTP/1.1\nContent-Length: 10"
	const informational, final = "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for name, c := range map[string]struct{ head, before, after string }{
		"before the body":            {asks, informational, final},
		"after the body":             {asks, "", informational + final},
		"before and after":           {asks, informational, informational + final},
		"never":                      {asks, "", final},
		"not asked, before the body": {does, informational, final},
		"not asked, after the body":  {does, "", informational + final},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upstream, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { upstream.Close() })
			go func() {
				conn, err := upstream.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.WriteString(conn, c.before)
				if body, err := io.ReadAll(r.Body); err != nil || string(body) != "0123456789" {
					t.Errorf("the upstream got %q, %v", body, err)
				}
				_, _ = io.WriteString(conn, c.after)
			}()
			client := dial(t, start(t, nil, func(s *proxy.Settings) { s.Upstream = "http://" + upstream.Addr().String() }))
			client.say(c.head, "")
			if strings.Contains(c.head, "Expect") {
				if res, _ := client.hear(t); res.StatusCode != http.StatusContinue {
					t.Errorf("before the body: %d", res.StatusCode)
				}
			}
			_, _ = io.WriteString(client, "0123456789")
			if res, body := client.hear(t); res.StatusCode != http.StatusOK || body != "ok" {
				t.Errorf("after the body: %d %q", res.StatusCode, body)
			}
		})
	}
}
