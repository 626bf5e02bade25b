package proxy_test

// How long a client may take for an answer of the upstream's.

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/proxy"
)

// protocols runs the test punctually with HTTP/1.1 and with HTTP/2. serve starts a
// gate that speaks it.
func protocols(t *testing.T, test func(t testing.TB, serve func(behind http.HandlerFunc) *httptest.Server)) {
	t.Parallel()
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprintf("HTTP2=%t", http2), func(t *testing.T) {
			t.Parallel()
			punctually(t, func(t testing.TB) {
				test(t, func(behind http.HandlerFunc) *httptest.Server {
					gate := unstarted(t, behind, func(s *proxy.Settings) { s.ClientTimeout = limit })
					gate.EnableHTTP2 = http2
					gate.StartTLS()
					return gate
				})
			})
		})
	}
}

// get asks and leaves the body to the test.
func get(t testing.TB, client *http.Client, url string) *http.Response {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// Who reads nothing of a long answer is let go, and the upstream hears of it.
func TestWhoDoesNotReadAnAnswer(t *testing.T) {
	protocols(t, func(t testing.TB, serve func(http.HandlerFunc) *httptest.Server) {
		noticed := make(chan time.Duration, 1)
		gate := serve(func(w http.ResponseWriter, r *http.Request) {
			piece, began := make([]byte, 32<<10), time.Now()
			for r.Context().Err() == nil {
				_, _ = w.Write(piece)
			}
			noticed <- time.Since(began)
		})
		res := get(t, gate.Client(), gate.URL+"/open")
		if after := wait.For(t, "the upstream's write fails", noticed); after < limit {
			t.Errorf("disconnected after %v", after)
		}
		if n, err := io.Copy(io.Discard, res.Body); err == nil {
			t.Errorf("%d bytes look like the whole answer", n)
		}
	})
}

// A stream may be silent for longer than a client may take for a piece: before
// the first, between two, and before its end.
func TestPauses(t *testing.T) {
	const pause = limit * 3 / 2
	protocols(t, func(t testing.TB, serve func(http.HandlerFunc) *httptest.Server) {
		gate := serve(func(w http.ResponseWriter, _ *http.Request) {
			for range 2 {
				time.Sleep(pause)
				_, _ = io.WriteString(w, "on")
				_ = http.NewResponseController(w).Flush()
			}
			time.Sleep(pause)
		})
		res := get(t, gate.Client(), gate.URL+"/open")
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "onon" {
			t.Errorf("%q, %v", body, err)
		}
	})
}

// Who reads slowly, and steadily, gets the whole answer, though it takes longer
// than a piece may. The buffers are small, so that the client's pace is the
// server's.
func TestWhoReadsSlowly(t *testing.T) {
	t.Parallel()
	const length, bite = 8 << 20, 64 << 10
	whole := bytes.Repeat([]byte("x"), length)
	punctually(t, func(t testing.TB) {
		gate := unstarted(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole) }, func(s *proxy.Settings) { s.ClientTimeout = limit })
		gate.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			_ = c.(*net.TCPConn).SetWriteBuffer(bite)
			return ctx
		}
		gate.Start()
		conn, err := net.Dial("tcp", gate.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(bite)
		_, _ = io.WriteString(conn, "GET /open HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		began, n := time.Now(), int64(0)
		for m := int64(0); err == nil; n += m {
			time.Sleep(20 * time.Millisecond)
			m, err = io.CopyN(io.Discard, res.Body, bite)
		}
		if took := time.Since(began); err != io.EOF || n != length || took < limit {
			t.Errorf("%d bytes in %v: %v", n, took, err)
		}
	})
}

// watched notes what is written, and whether there is a deadline.
type watched struct {
	*httptest.ResponseRecorder
	began   time.Time  // before any deadline
	mu      sync.Mutex // guards what follows
	limited time.Time
	wrote   []string
}

func newWatched() *watched {
	return &watched{ResponseRecorder: httptest.NewRecorder(), began: time.Now()}
}

func (w *watched) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limited = t
	return nil
}

func (w *watched) note(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.limited.After(w.began) || time.Until(w.limited) > time.Minute {
		what += " without a limit"
	}
	w.wrote = append(w.wrote, what)
}

func (w *watched) WriteHeader(status int) {
	if status < 200 {
		w.note("1xx")
		return
	}
	w.ResponseRecorder.WriteHeader(status)
}

func (w *watched) Write(piece []byte) (int, error) {
	w.note("body")
	return w.ResponseRecorder.Write(piece)
}

func (w *watched) FlushError() error {
	w.note("flush")
	return nil
}

// Whatever may block is under a limit: early hints, a piece, a flush, and what
// net/http sends after the handler.
func TestEveryWriteIsLimited(t *testing.T) {
	gate := unstarted(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "on")
	}, nil)
	w := newWatched()
	gate.Config.Handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/open", nil))
	// The header is flushed by itself if the body is late.
	if got := strings.Replace(strings.Join(w.wrote, ", "), "1xx, flush, ", "1xx, ", 1); got != "1xx, body, flush" {
		t.Error(got)
	}
	if w.note("end"); w.wrote[len(w.wrote)-1] != "end" {
		t.Error("what is left is sent without a limit")
	}
}
