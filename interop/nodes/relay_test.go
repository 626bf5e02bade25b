package nodes

// A wire between a node and PostgreSQL that can be cut, and a verifier with published keys.

import (
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/jwt/jwks"
)

// relay passes connections on, until it is cut.
type relay struct {
	dsn   string // the database's address, through the relay
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

func relayTo(t *testing.T, dsn string) *relay {
	t.Helper()
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	server := address.Host
	address.Host = listener.Addr().String()
	r := &relay{dsn: address.String(), conns: map[net.Conn]bool{}}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go r.pass(conn, server)
		}
	}()
	return r
}

// hold keeps a connection that cut will close; it reports false while the relay is cut.
func (r *relay) hold(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		conn.Close()
		return false
	}
	r.conns[conn] = true
	return true
}

func (r *relay) pass(in net.Conn, server string) {
	if !r.hold(in) {
		return
	}
	out, err := net.Dial("tcp", server)
	if err != nil || !r.hold(out) {
		in.Close()
		return
	}
	go func() {
		_, _ = io.Copy(out, in)
		out.Close()
	}()
	_, _ = io.Copy(in, out)
	in.Close()
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = true
	for conn := range r.conns {
		conn.Close()
		delete(r.conns, conn)
	}
}

func (r *relay) repair() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = false
}

// algOf is the algorithm a token says it is signed with.
func algOf(t *testing.T, token string) string {
	t.Helper()
	header, _, err := jwt.DecodeUnverified(token)
	if err != nil {
		t.Fatal(err)
	}
	alg, _ := header.Member("alg")
	text, _ := alg.Text()
	return text
}

// cached is how long the verifier elsewhere holds the keys it has fetched.
const cached = 300 * time.Millisecond

// farGuard verifies with the keys at the address, which it also returns, and nothing else.
func farGuard(t *testing.T, address string) (*jwks.Remote, *jotgate.Guard) {
	t.Helper()
	keys, err := jwks.New(address, jwks.Options{InsecureHTTP: true, Lifetime: cached, Interval: cached / 10, Timeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: keys})
	if err != nil {
		t.Fatal(err)
	}
	return keys, guard
}

// has reports whether a key is in the set that was fetched last.
func has(keys *jwks.Remote, kid string) bool {
	set := keys.KeySet()
	return set != nil && slices.ContainsFunc(set.Keys(), func(k *jwt.Key) bool { return k.ID() == kid })
}
