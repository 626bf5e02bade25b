package proxy_test

// How long a client may take for a request's body.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/proxy"
)

// receiver serves a gate whose upstream reads the body, answers with it, and
// tells what hindered it.
func receiver(t testing.TB) (*httptest.Server, <-chan error) {
	t.Helper()
	hindered := make(chan error, 10)
	return start(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			hindered <- err
		}
		_, _ = w.Write(body)
	}, func(s *proxy.Settings) { s.ClientTimeout = limit }), hindered
}

// client is a connection that says what it is told to.
type client struct {
	net.Conn
	replies *bufio.Reader
}

// dial connects, with a deadline for a test that hangs.
func dial(t testing.TB, server *httptest.Server) *client {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(wait.Deadline())
	return &client{conn, bufio.NewReader(conn)}
}

// say writes a head, its lines parted by \n, and what is there of a body.
func (c *client) say(head, body string) {
	fmt.Fprintf(c, "%s\r\nHost: x\r\n\r\n%s", strings.ReplaceAll(head, "\n", "\r\n"), body)
}

// hear returns the next answer.
func (c *client) hear(t testing.TB) (*http.Response, string) {
	t.Helper()
	res, err := http.ReadResponse(c.replies, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Errorf("after %q: %v", body, err)
	}
	return res, string(body)
}

// gone fails the test unless the server ends the connection.
func (c *client) gone(t testing.TB) {
	t.Helper()
	_ = c.SetDeadline(wait.Deadline())
	if n, err := c.replies.ReadByte(); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the connection is held: %q, %v", n, err)
	}
}

// Who announces a body and does not send the whole of it is told so and disconnected,
// and the upstream hears of it.
func TestWhoDoesNotSendABody(t *testing.T) {
	const known, chunks = "POST /open HTTP/1.1\nContent-Length: 10", "POST /open HTTP/1.1\nTransfer-Encoding: chunked"
	for name, c := range map[string]struct{ head, part, rest string }{
		"nothing":                 {known, "", "0123456789"},
		"a part":                  {known, "01234", "56789"},
		"nothing, in chunks":      {chunks, "", "a\r\n0123456789\r\n0\r\n\r\n"},
		"a part, in chunks":       {chunks, "5\r\n01234\r\n", "5\r\n56789\r\n0\r\n\r\n"},
		"nothing, but asks first": {known + "\nExpect: 100-continue", "", "0123456789"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			punctually(t, func(t testing.TB) { doesNotSendABody(t, c.head, c.part, c.rest) })
		})
	}
}

// doesNotSendABody sends a whole body, and then a part of one.
func doesNotSendABody(t testing.TB, head, part, rest string) {
	gate, hindered := receiver(t)
	good := dial(t, gate)
	good.say(head, part+rest)
	if strings.Contains(head, "Expect") {
		good.hear(t) // 100
	}
	if res, body := good.hear(t); res.StatusCode != 200 || body != "0123456789" {
		t.Fatalf("the whole: %d %q", res.StatusCode, body)
	}
	bad, began := dial(t, gate), time.Now()
	bad.say(head, part)
	if strings.Contains(head, "Expect") {
		bad.hear(t)
	}
	res, body := bad.hear(t)
	if res.StatusCode != 408 || body != `{"detail":"Request body could not be read in time."}` || !res.Close || time.Since(began) < limit {
		t.Errorf("after %v: %d %q, close: %t", time.Since(began), res.StatusCode, body, res.Close)
	}
	bad.gone(t)
	wait.For(t, "the upstream's read fails", hindered)
}

// The same over HTTP/2, where the connection goes on.
func TestWhoDoesNotSendABodyHTTP2(t *testing.T) {
	t.Parallel()
	punctually(t, func(t testing.TB) {
		gate := unstarted(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) },
			func(s *proxy.Settings) { s.ClientTimeout = limit })
		gate.EnableHTTP2 = true
		gate.StartTLS()
		body, end := io.Pipe()
		defer end.Close()
		asks := gate.Client()
		asks.Timeout = wait.Limit
		res, err := asks.Post(gate.URL+"/open", "", body)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.ProtoMajor != 2 || res.StatusCode != 408 {
			t.Errorf("%s %d", res.Proto, res.StatusCode)
		}
	})
}

// Who sends slowly, and steadily, may take longer than a piece may, and the
// upstream may pause for longer, too.
func TestWhoSendsSlowly(t *testing.T) {
	protocols(t, func(t testing.TB, serve func(http.HandlerFunc) *httptest.Server) {
		const pieces, length = 8, 4 << 20 // more than buffers hold
		gate := serve(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.CopyN(io.Discard, r.Body, length)
			time.Sleep(limit * 3 / 2)
			rest, err := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n+rest, err)
		})
		body, in := io.Pipe()
		go func() {
			for range pieces {
				time.Sleep(limit / 4)
				_, _ = in.Write(make([]byte, length))
			}
			in.Close()
		}()
		res, err := gate.Client().Post(gate.URL+"/open", "", body)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if got, _ := io.ReadAll(res.Body); string(got) != fmt.Sprint(pieces*length, nil) {
			t.Errorf("%d %s", res.StatusCode, got)
		}
	})
}

// An answer does not wait for a body that the upstream has no need of.
func TestAnswerBeforeTheBody(t *testing.T) {
	t.Parallel()
	for _, timeout := range []time.Duration{2 * wait.Limit, limit} {
		for _, length := range []int{1 << 10, 1 << 30} {
			punctually(t, func(t testing.TB) { answerBeforeTheBody(t, timeout, length) })
		}
	}
}

// answerBeforeTheBody announces a body of this length. With a timeout longer than
// the test may take, a response that waits for the body never comes.
func answerBeforeTheBody(t testing.TB, timeout time.Duration, length int) {
	gate := start(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // or this server would wait for the body, too
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	}, func(s *proxy.Settings) { s.ClientTimeout = timeout })
	c := dial(t, gate)
	c.say(fmt.Sprintf("POST /open HTTP/1.1\nContent-Length: %d", length), "and no more")
	if res, body := c.hear(t); res.StatusCode != 413 || body != "too large\n" || !res.Close {
		t.Errorf("%d %q, close: %t", res.StatusCode, body, res.Close)
	}
	for range 3 { // who is still sending is not cut off, or the answer might get lost
		if _, err := io.WriteString(c, "more"); err != nil {
			t.Errorf("of %d: %v", length, err)
		}
	}
	if timeout == limit {
		c.gone(t)
	} else {
		c.Close()
	}
}

// A refusal of the gate's own leaves the body unread, and the connection is not
// held for it.
func TestRefusalBeforeTheBody(t *testing.T) {
	t.Parallel()
	gate, _ := receiver(t)
	for name, head := range map[string]string{
		"without a token": "POST /api/x HTTP/1.1", "a method": "TRACE /open HTTP/1.1", "in chunks": "POST /api/x HTTP/1.1\nTransfer-Encoding: chunked",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(head, "Transfer-Encoding") {
				head += "\nContent-Length: 10"
			}
			punctually(t, func(t testing.TB) {
				c := dial(t, gate)
				c.say(head, "")
				if res, _ := c.hear(t); res.StatusCode != 401 && res.StatusCode != 405 {
					t.Error(res.StatusCode)
				}
				c.gone(t)
			})
		})
	}
}

// What stood around one request does not hit the next, nor the answer to it:
// the connection lasts, and the upstream may take its time.
func TestNoDeadlineIsLeftBehind(t *testing.T) {
	t.Parallel()
	punctually(t, func(t testing.TB) {
		gate := start(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			time.Sleep(limit * 3 / 2)
			if r.Context().Err() == nil {
				_, _ = w.Write(body)
			}
		}, func(s *proxy.Settings) { s.ClientTimeout = limit })
		c := dial(t, gate)
		c.say("POST /api/x HTTP/1.1\nContent-Length: 5", "first") // refused, and thrown away by net/http
		if res, _ := c.hear(t); res.StatusCode != 401 || res.Close {
			t.Errorf("%d, close: %t", res.StatusCode, res.Close)
		}
		for _, body := range []string{"second", "third"} {
			c.say(fmt.Sprintf("POST /open HTTP/1.1\nContent-Length: %d", len(body)), body)
			if res, got := c.hear(t); res.StatusCode != 200 || got != body || res.Close {
				t.Errorf("%s: %d %q, close: %t", body, res.StatusCode, got, res.Close)
			}
		}
		time.Sleep(limit * 3 / 2)
		c.say("GET /open HTTP/1.1", "")
		if res, _ := c.hear(t); res.StatusCode != 200 {
			t.Error(res.StatusCode)
		}
	})
}

// The connection ends after a request in chunks, even if the answer has early
// hints before it.
func TestChunksEndTheConnection(t *testing.T) {
	gate := start(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/hints" {
			w.WriteHeader(http.StatusEarlyHints)
		}
	}, nil)
	for _, path := range []string{"/open", "/hints"} {
		for head, closes := range map[string]bool{"Transfer-Encoding: chunked": true, "Content-Length: 5": false} {
			c := dial(t, gate)
			c.say("POST "+path+" HTTP/1.1\n"+head, "0\r\n\r\n")
			res, _ := c.hear(t)
			if res.StatusCode == http.StatusEarlyHints {
				res, _ = c.hear(t)
			}
			if res.StatusCode != 200 || res.Close != closes {
				t.Errorf("%s %s: %d, close: %t", path, head, res.StatusCode, res.Close)
			}
		}
	}
}

// net/http writes 100 Continue when the body is first asked for.
func TestContinueIsLimited(t *testing.T) {
	gate := unstarted(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }, nil)
	w := newWatched()
	r := httptest.NewRequest(http.MethodPost, "/open", readerFunc(func([]byte) (int, error) {
		w.note("continue")
		return 0, io.EOF
	}))
	r.Header.Set("Expect", "100-continue")
	gate.Config.Handler.ServeHTTP(w, r)
	if !slices.Contains(w.wrote, "continue") {
		t.Error(w.wrote)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
