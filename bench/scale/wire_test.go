package scale

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
)

// wire is a relay in front of PostgreSQL that counts what clients send.
type wire struct {
	dsn    string // of the database behind it
	server string
	mu     sync.Mutex // guards the rest
	sent   map[string]int
	early  map[string]bool // statements outside of transactions before reset
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	_, server, _ := strings.Cut(dsn, "@")
	server, _, _ = strings.Cut(server, "/")
	w := &wire{dsn: pgtest.At(dsn, listener.Addr().String()), server: server, sent: map[string]int{}, early: map[string]bool{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go w.relay(client)
		}
	}()
	return w
}

// relay copies both directions of a connection until one ends.
func (w *wire) relay(client net.Conn) {
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		_ = client.Close()
		return
	}
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	_ = w.read(bufio.NewReader(io.TeeReader(client, server)))
	_ = server.Close()
}

// read counts the statements in the messages of a client (PostgreSQL's documentation,
// 55.7): a Query is its text, a Bind is the text that a Parse has given the name.
func (w *wire) read(from *bufio.Reader) error {
	prepared, inside := map[string]string{}, false // a transaction
	for first := true; ; first = false {
		kind := byte(0)
		if !first {
			var err error
			if kind, err = from.ReadByte(); err != nil {
				return err
			}
		}
		var length uint32
		if err := binary.Read(from, binary.BigEndian, &length); err != nil {
			return err
		}
		if length < 4 {
			return errors.New("no message")
		}
		body := make([]byte, length-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return err
		}
		texts := strings.SplitN(string(body), "\x00", 3)
		switch kind {
		case 'Q':
			inside = w.count(texts[0], inside)
		case 'P':
			prepared[texts[0]] = texts[1]
			w.count("prepare", true)
		case 'B':
			inside = w.count(prepared[texts[1]], inside)
		}
	}
}

// count counts a statement, and reports whether a transaction is open after it.
func (w *wire) count(text string, inside bool) bool {
	text = strings.Join(strings.Fields(text), " ")
	inside = (inside || strings.HasPrefix(text, "begin")) && text != "rollback"
	w.mu.Lock()
	defer w.mu.Unlock()
	if inside || !w.early[text] {
		w.sent[text]++
	}
	return inside && text != "commit"
}

// reset begins anew. What was sent outside of transactions until now, such as the queries for revocations, depends on
// time, and is not counted after it.
func (w *wire) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for text := range w.sent {
		w.early[text] = true
	}
	clear(w.sent)
}

// often returns the statements that were sent for at least half of n refreshes, each with how often for one.
func (w *wire) often(n int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for text, count := range w.sent {
		if count >= n/2 {
			lines = append(lines, fmt.Sprintf("%.1f × %.70s", float64(count)/float64(n), text))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
