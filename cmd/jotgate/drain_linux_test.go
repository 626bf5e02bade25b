package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Who waits in the queue when a listener is closed is served, and who comes
// later is refused.
func TestNobodyIsLeft(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener, address := leaveNobody(plain), plain.Addr().String()
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
	for range clients {
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(conn, conn); conn.Close() }()
	}
	if _, err := listener.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("then Accept says %v", err)
	}
	for i, c := range clients {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := c.Read(make([]byte, 1)); err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
	}
}

// A server under load leaves: each request that was sent is answered.
func TestLeaving(t *testing.T) {
	for range 20 {
		plain, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p := &parting{next: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") })}
		server := &http.Server{Handler: p, ConnState: p.count}
		ended := make(chan error, 1)
		listener := leaveNobody(plain)
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
		if err := p.leave(t.Context(), server, listener, ended, 50*time.Millisecond); err != nil {
			t.Error(err)
		}
		clients.Wait()
	}
}
