// Package ha runs two nodes on PostgreSQL as operators do who must not be down: behind PgBouncer in transaction mode, and
// behind HAProxy with a standby that is promoted. HA=long is the long form.
package ha

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const (
	secret   = "ha-secret-key-ha-secret-key-ha-secret-key-ha-secret-key-0123456789"
	password = "correct horse battery"
)

// long reports whether the long form was asked for.
func long() bool { return os.Getenv("HA") == "long" }

func either[T any](short, longer T) T {
	if long() {
		return longer
	}
	return short
}

func node(t *testing.T, database string) *serve.Server { t.Helper(); return nodeOf(t, database, "") }

// nodeOf starts a node of another binary.
func nodeOf(t *testing.T, database, binary string) *serve.Server {
	t.Helper()
	return serve.Start(t, serve.Options{Database: database, SecretKey: secret, Binary: binary, Args: []string{
		"--hasher=pbkdf2_sha256:1000", "--refresh-grace=10m", "--log-level=error", "--rate=login=1000000/min;register=1000000/min",
	}})
}

// shortestLimit is the shortest time after which a version that is tested gives up an operation of the database. A slow
// machine causes no 503 before.
const shortestLimit = 3 * time.Second

// load is clients that refresh, and that log in and out.
type load struct {
	t       *testing.T
	asking  sync.RWMutex // held for reading during each request
	nodes   []*serve.Server
	stop    atomic.Bool
	clients sync.WaitGroup
	good    atomic.Int64
	failed  atomic.Int64 // when a refresh failed last, in nanoseconds of Unix time
	broken  atomic.Int64 // refreshes that failed before shortestLimit, or at all in the long form

	mu   sync.Mutex
	last [4]string // the newest refresh token that each chain received
	gone []string  // refresh tokens of sessions whose logout was confirmed
}

func startLoad(t *testing.T, nodes ...*serve.Server) *load {
	l := &load{t: t, nodes: nodes}
	l.postUntilServed(0, "/auth/users/", "username", "alice", "email", "alice@example.com", "password", password, "re_password", password)
	for i := range 4 {
		wait.Until(t, "alice logs in", func() bool { l.last[i] = l.login(i); return l.last[i] != "" })
		l.clients.Go(func() { l.chain(i) })
	}
	l.clients.Go(l.inAndOut)
	return l
}

// post sends a form to the node whose turn it is.
func (l *load) post(turn int, path string, fields ...string) (status int, got *client.Answer) {
	l.asking.RLock()
	defer l.asking.RUnlock()
	answer := client.Post(l.t, l.nodes[turn%len(l.nodes)].URL+path, fields...)
	return answer.Status, &answer
}

// postUntilServed is post until the status is another than 503, which says nothing about what is asked.
func (l *load) postUntilServed(turn int, path string, fields ...string) (status int, got *client.Answer) {
	l.t.Helper()
	wait.Until(l.t, path+" does not respond with 503", func() bool {
		status, got = l.post(turn, path, fields...)
		return status != 503
	})
	return status, got
}

// use has the clients ask these nodes. When it returns, no request is on its way to another one.
func (l *load) use(nodes ...*serve.Server) {
	l.asking.Lock()
	defer l.asking.Unlock()
	l.nodes = nodes
}

func (l *load) login(turn int) string {
	status, got := l.post(turn, "/api/token/", "username", "alice", "password", password)
	if status != 200 {
		return ""
	}
	return got.Text("refresh")
}

// chain refreshes one session, on the nodes in turn. After a failure it tries the same token again.
func (l *load) chain(i int) {
	for turn := i; !l.stop.Load(); turn++ {
		began := time.Now()
		status, got := l.post(turn, "/api/token/refresh/", "refresh", l.last[i])
		switch status {
		case 200:
			l.last[i] = got.Text("refresh") // read by others after the end only
			l.good.Add(1)
		case 503:
			l.failed.Store(time.Now().UnixNano())
			if long() || time.Since(began) < shortestLimit {
				l.broken.Add(1)
			}
			time.Sleep(5 * time.Millisecond)
		default:
			l.t.Errorf("a refresh: %+v", *got)
			return
		}
	}
}

func (l *load) inAndOut() {
	for turn := 0; !l.stop.Load(); turn++ {
		refresh := l.login(turn)
		if refresh == "" {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		if status, _ := l.post(turn+1, "/api/token/blacklist/", "refresh", refresh); status == 200 {
			l.mu.Lock()
			l.gone = append(l.gone, refresh)
			l.mu.Unlock()
		}
	}
}

// works waits for more refreshes.
func (l *load) works(n int64) {
	l.t.Helper()
	n += l.good.Load()
	wait.Until(l.t, "refreshes work", func() bool { return l.t.Failed() || l.good.Load() >= n })
}

// end stops the clients and examines what was confirmed: every session goes on with its newest token, and no session that
// was logged out lives.
func (l *load) end() {
	l.t.Helper()
	wait.Until(l.t, "somebody has logged out", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.gone) > 0
	})
	l.stop.Store(true)
	l.clients.Wait()
	for i := range l.last {
		if status, got := l.postUntilServed(i, "/api/token/refresh/", "refresh", l.last[i]); status != 200 {
			l.t.Errorf("a confirmed refresh is lost: %+v", *got)
		}
	}
	for i, refresh := range l.gone {
		if status, _ := l.postUntilServed(i, "/api/token/refresh/", "refresh", refresh); status != 401 {
			l.t.Errorf("a token that was logged out is answered %d", status)
		}
	}
	l.t.Logf("%d refreshes, %d logouts, none lost or revived", l.good.Load(), len(l.gone))
}

// ready waits until both nodes' /readyz has the status.
func (l *load) ready(status int) {
	l.t.Helper()
	for _, n := range l.nodes {
		wait.Until(l.t, fmt.Sprintf("/readyz is %d", status), func() bool {
			got, err := http.Get(n.URL + "/readyz")
			if err != nil {
				l.t.Fatal(err)
			}
			got.Body.Close()
			return got.StatusCode == status
		})
	}
}

// Two nodes through PgBouncer in transaction mode, which gives them five connections.
func TestPgBouncer(t *testing.T) {
	direct := pgtest.Database(t)
	dsn := pgtest.Bounce(t, direct, "transaction", 5).DSN(direct)
	l := startLoad(t, node(t, dsn), node(t, dsn))
	l.works(either[int64](200, 5000))
	l.end()
	if n := l.broken.Load(); n != 0 {
		t.Errorf("%d refreshes failed", n)
	}
}

// proxy is an HAProxy that passes connections to one server.
type proxy struct{ address, socket string }

func startProxy(t *testing.T, to *pgtest.Cluster) *proxy {
	t.Helper()
	folder := tempdir.ForSockets(t)
	p := &proxy{freeport.Address(t), filepath.Join(folder, "s")}
	file := filepath.Join(folder, "haproxy.cfg")
	config := fmt.Sprintf("global\n stats socket %s level admin\ndefaults\n mode tcp\n timeout connect 180s\n timeout client 1h\n timeout server 1h\n"+
		"listen pg\n bind %s\n server primary %s\n", p.socket, p.address, to.Address())
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	peer.Serve(t, exec.Command("haproxy", "-db", "-f", file))
	wait.Until(t, "HAProxy listens", func() bool {
		conn, err := net.Dial("tcp", p.address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return p
}

// turn passes new connections to another server.
func (p *proxy) turn(t *testing.T, to *pgtest.Cluster) {
	t.Helper()
	conn, err := net.Dial("unix", p.socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	host, port, _ := strings.Cut(to.Address(), ":")
	fmt.Fprintf(conn, "set server pg/primary addr %s port %s\n", host, port)
	_, _ = conn.Read(make([]byte, 1024))
}

// The primary is killed, or switched over cleanly; a synchronous standby takes its place. The nodes reach it through
// HAProxy, or have both hosts in their address.
func TestFailover(t *testing.T) {
	for _, c := range []struct {
		name          string
		clean, behind bool
	}{{"killed, HAProxy", false, true}, {"switched over, HAProxy", true, true}, {"killed, two hosts", false, false}} {
		t.Run(c.name, func(t *testing.T) {
			for range either(1, 5) {
				failover(t, c.clean, c.behind)
			}
		})
	}
}

func failover(t *testing.T, clean, behind bool) {
	t.Helper()
	primary := pgtest.Start(t, pgtest.Options{Durable: true})
	direct := primary.Database(t)
	standby := primary.Standby(t)
	primary.Synchronous(t)
	dsn, turn := pgtest.At(direct, primary.Address(), standby.Address())+"&target_session_attrs=read-write", func() {}
	if behind {
		p := startProxy(t, primary)
		dsn, turn = pgtest.At(direct, p.address), func() { p.turn(t, standby) }
	}
	l := startLoad(t, node(t, dsn), node(t, dsn))
	l.works(100)
	l.ready(200)
	if clean {
		primary.Stop(t)
	} else {
		primary.Kill(t)
	}
	l.ready(503)
	standby.Promote(t)
	turn()
	available := time.Now()
	if clean {
		primary.Follow(t, standby)
	}
	l.works(100)
	l.ready(200)
	l.works(100)
	l.end()
	late := time.Unix(0, l.failed.Load()).Sub(available)
	t.Logf("the last refresh failed %v after a writer was available", max(late, 0).Round(time.Millisecond))
	if long() && late > 2*time.Second {
		t.Errorf("refreshes failed for %v", late)
	}
}
