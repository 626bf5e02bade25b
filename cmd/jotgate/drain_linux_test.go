package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// A client in the queue of a listener that is closed is served, and a later
// one is refused.
func TestNoConnectionIsLeft(t *testing.T) {
	listener := listen(t)
	address := listener.Addr().String()
	var clients []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		clients = append(clients, c)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("who came later got %v", err)
	}
	go echo(listener)
	for i, c := range clients {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(wait.Deadline())
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("then Accept says %v", err)
	}
}

// While clients connect continuously, no accepted connection is reset in 50
// closings. Without the filter some were, in every third run of this test.
func TestNoConnectionIsReset(t *testing.T) {
	for range 50 {
		listener := listen(t)
		go echo(listener)
		var clients sync.WaitGroup
		for range 16 {
			clients.Go(func() {
				for {
					c, err := net.DialTimeout("tcp", listener.Addr().String(), 50*time.Millisecond)
					if err != nil {
						return // refused, or no response
					}
					_ = c.SetDeadline(wait.Deadline())
					_, wrote := c.Write([]byte("x"))
					_, read := c.Read(make([]byte, 1))
					if err := errors.Join(wrote, read); err != nil {
						t.Error(err)
					}
					c.Close()
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		clients.Wait()
	}
}

// listen opens an address as serve does.
func listen(t *testing.T) net.Listener {
	t.Helper()
	c := serveCommand{serveFlags{serverFlags: serverFlags{Addr: "127.0.0.1:0"}}}
	listener, err := c.listen(&app{ctx: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// echo returns every byte that it receives.
func echo(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = io.CopyN(conn, conn, 1); conn.Close() }()
	}
}

// Requests that wait for a revocation or an event get their response when the server
// stops, and do not hold it up.
func TestWaitingRequestsEnd(t *testing.T) {
	folder := t.TempDir()
	database := []string{"--database", "sqlite:" + folder + "/jotgate.db"}
	s := startServer(t, folder, nil, "--serve-revocations")
	env := []string{"JOTGATE_USER_PASSWORD=correct-horse-1"}
	if status, _, stderr := try(t, env, "", append([]string{"user", "create", "root", "--superuser"}, database...)...); status != 0 {
		t.Fatal(stderr)
	}
	status, key, stderr := try(t, env, "", append([]string{"apikey", "create", "root", "--scope", "events"}, database...)...)
	if status != 0 {
		t.Fatal(stderr)
	}
	sent := make(chan httptrace.WroteRequestInfo, 4)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(i httptrace.WroteRequestInfo) { sent <- i }})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // it would send a request that is cut off again
	get := func(address string) (int, string) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Api-Key", strings.TrimSpace(key))
		response, err := client.Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			return 0, err.Error()
		}
		return response.StatusCode, string(body)
	}
	_, list := get("/auth/events/")
	_, page := get("/auth/revocations")
	cursor := func(text string) string {
		_, text, _ = strings.Cut(text[strings.LastIndex(text, `"cursor":`):], `:"`)
		text, _, _ = strings.Cut(text, `"`)
		return text
	}
	var requests sync.WaitGroup
	for _, address := range []string{"/auth/events/?wait=25&after=" + cursor(list), "/auth/revocations?wait=25&since=" + cursor(page)} {
		requests.Go(func() {
			if status, body := get(address); status != http.StatusOK {
				t.Errorf("%s: %d %s", address, status, body)
			}
		})
	}
	for range 4 { // the first two and these
		wait.For(t, "each request is sent", sent)
	}
	if status := s.end(t); status != 0 {
		t.Errorf("status %d: %s", status, s.stderr.String())
	}
	requests.Wait()
}

// A server under load stops: each request that was sent gets a response.
func TestLeaving(t *testing.T) {
	for range 5 {
		plain := listen(t)
		p := &drainer{stops: make(chan struct{}), next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })}
		server := &http.Server{Handler: p, ConnState: p.count}
		ended := make(chan error, 1)
		listener := newDrainListener(plain)
		go func() { ended <- server.Serve(listener) }()
		var clients sync.WaitGroup
		for range 8 {
			clients.Go(func() {
				client := &http.Client{Transport: &http.Transport{}}
				for {
					answer, err := client.Post("http://"+plain.Addr().String(), "text/plain", nil)
					if failed := (*net.OpError)(nil); errors.As(err, &failed) && failed.Op == "dial" {
						return // no request was sent
					}
					if err != nil {
						t.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, answer.Body)
					answer.Body.Close()
				}
			})
		}
		time.Sleep(20 * time.Millisecond)
		if err := p.stop(t.Context(), server, listener, ended, closeDelay/2); err != nil {
			t.Error(err)
		}
		clients.Wait()
	}
}
