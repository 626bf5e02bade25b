package postgres_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
)

// wire is a connection to the server that can fall silent: nothing is closed,
// nothing arrives any more, as when a cable is cut or a firewall forgets.
type wire struct {
	server string
	silent atomic.Bool // also for connections made meanwhile
	mu     sync.Mutex
	cut    []*atomic.Bool
}

// newWire puts a wire before the database and returns the address through it.
func newWire(t *testing.T, dsn string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{server: u.Host}
	u.Host = listen(t, w.pass)
	return w, u.String()
}

func (w *wire) pass(client net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		client.Close()
		return
	}
	cut := &atomic.Bool{}
	cut.Store(w.silent.Load())
	w.mu.Lock()
	w.cut = append(w.cut, cut)
	w.mu.Unlock()
	go w.carry(server, client, cut)
	w.carry(client, server, cut)
}

// carry copies until an end closes; what comes after the cut is lost.
func (w *wire) carry(to, from net.Conn, cut *atomic.Bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			if !cut.Load() {
				to.Close()
			}
			return
		}
		if cut.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil && !errors.Is(err, io.EOF) {
			return
		}
	}
}

// fall silences all connections, including new ones, until rise.
func (w *wire) fall() {
	w.silent.Store(true)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cut := range w.cut {
		cut.Store(true)
	}
}

func (w *wire) rise() { w.silent.Store(false) }

// A server that does not respond is waited for until the deadline, not
// without end. When it can be reached again it is used, although the old
// connections stay dead.
func TestSilentServer(t *testing.T) {
	w, dsn := newWire(t, pgtest.Database(t))
	s := postgrestest.OpenAt(t, dsn)
	if err := s.Accounts().Create(t.Context(), account("ada")); err != nil {
		t.Fatal(err)
	}
	ask := func(within time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		_, err := s.Accounts().ByLogin(ctx, "ada")
		return err
	}
	var wg sync.WaitGroup
	for range 12 { // so that the pool is full of connections
		wg.Go(func() {
			if err := ask(wait.Limit); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.fall()
	if err := ask(time.Second); !errors.Is(err, jotgate.ErrUnavailable) {
		t.Error(err)
	}
	w.rise()
	wait.Until(t, "the server responds again", func() bool { return ask(10*time.Second) == nil })
}
