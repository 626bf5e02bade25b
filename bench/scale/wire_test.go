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
	mu     sync.Mutex      // guards the rest
	sent   map[string]int  // transactions, and statements outside of them
	early  map[string]bool // statements outside of transactions before reset
	again  []string        // statements that a connection prepared again
}

func newWire(t *testing.T, dsn string) *wire {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	_, server, _ := strings.Cut(dsn, "@")
	server, _, _ = strings.Cut(server, "/")
	w := &wire{dsn: pgtest.At(dsn, listener.Addr().String()), server: server, sent: map[string]int{}}
	w.early = map[string]bool{"-- ping": true} // an idle connection sends it
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
	_ = w.read(bufio.NewReader(client), server)
	_ = server.Close()
}

// read counts the statements in the messages of a client (PostgreSQL's documentation,
// 55.7): a Query is its text, a Bind is the text that a Parse has given the name. Each
// message is counted before it is sent on.
func (w *wire) read(from io.Reader, to io.Writer) error {
	prepared, known := map[string]string{}, map[string]bool{} // by name, and the texts
	var open []string                                         // the statements of a transaction
	for first := true; ; first = false {
		head := make([]byte, 5) // the kind, which the first message lacks, and the length
		if first {
			head = head[1:]
		}
		if _, err := io.ReadFull(from, head); err != nil {
			return err
		}
		length := binary.BigEndian.Uint32(head[len(head)-4:])
		if length < 4 {
			return errors.New("no message")
		}
		body := make([]byte, length-4)
		if _, err := io.ReadFull(from, body); err != nil {
			return err
		}
		kind, texts := byte(0), strings.SplitN(string(body), "\x00", 3)
		if !first {
			kind = head[0]
		}
		switch kind {
		case 'Q':
			open = w.count(texts[0], open)
		case 'P':
			if text := texts[1]; known[text] {
				w.mu.Lock()
				w.again = append(w.again, text)
				w.mu.Unlock()
			}
			prepared[texts[0]], known[texts[1]] = texts[1], true
		case 'B':
			open = w.count(prepared[texts[1]], open)
		}
		if _, err := to.Write(append(head, body...)); err != nil {
			return err
		}
	}
}

// count counts a statement outside of a transaction, or at its commit a transaction, which
// is the texts of its statements. One that is rolled back may be repeated, and is not
// counted. open are the statements of the open transaction, and the result those after this one.
func (w *wire) count(text string, open []string) []string {
	text = strings.Join(strings.Fields(text), " ")
	inside := len(open) > 0 || strings.HasPrefix(text, "begin")
	if open = append(open, text); inside && text != "commit" {
		if text == "rollback" {
			return nil
		}
		return open
	}
	text = strings.Join(open, "\n")
	w.mu.Lock()
	defer w.mu.Unlock()
	if inside || !w.early[text] {
		w.sent[text]++
	}
	return nil
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
	w.again = nil
}

// often returns what was sent for at least half of n refreshes, with the number of times for one, rounded.
func (w *wire) often(n int) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for text, count := range w.sent {
		if times := (count + n/2) / n; times > 0 {
			for statement := range strings.SplitSeq(text, "\n") {
				lines = append(lines, fmt.Sprintf("%d × %.70s", times, statement))
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// twice returns the statements that a connection prepared again after reset.
func (w *wire) twice() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.again)
}
