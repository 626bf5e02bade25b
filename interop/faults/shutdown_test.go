package faults

// Restarts without failed requests: SIGTERM lets requests finish, and behind nginx two nodes restart in turn.

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// SIGTERM under load: what was begun is answered, nothing is reset, the program ends with 0, and the next
// one goes on with what was answered.
func TestDrain(t *testing.T) {
	t.Parallel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")
	var l *load
	for range int(either(3, 30)) {
		s := node(t, database, "--hasher=pbkdf2_sha256:50000") // so that there is something to finish
		if l == nil {
			l = newLoad(t, s.URL)
			// No more connections than clients: one that rests may be closed as it is used again, which HTTP leaves to
			// the client (RFC 9112, section 9.5).
			l.http = &http.Client{Timeout: answered, Transport: &http.Transport{MaxConnsPerHost: drainers, MaxIdleConnsPerHost: drainers}}
		}
		l.url = func(int) string { return s.URL }
		drainOne(t, l, s)
	}
	s := node(t, database)
	l.url = func(int) string { return s.URL }
	l.verify()
}

// drainers are how many clients there are.
const drainers = 8

// drainOne ends a server under a load whose clients stop at the first refused connection, as clients of a server that
// is gone do; what they may not see is an answer that breaks off.
func drainOne(t *testing.T, l *load, s *serve.Server) {
	t.Helper()
	l.away.Store(true)
	in, out := make(chan struct{}, 64), sync.WaitGroup{}
	for client := range drainers {
		out.Go(func() {
			for turn := 0; dialable(s.URL); turn++ {
				l.inAndOut()
				l.stranger(1)
				if client == 0 {
					l.register(fmt.Sprintf("drained%d.%d", time.Now().UnixNano(), turn))
				}
				select {
				case in <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 16 {
		<-in
	}
	if err := s.Stop(); err != nil {
		t.Errorf("the server ended with %v\n%s", err, s.Output())
	}
	out.Wait()
	l.away.Store(false)
}

func dialable(address string) bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(address, "http://"))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Two nodes behind nginx restart in turn under load: no request fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	addresses := []string{freeport.Address(t), freeport.Address(t)}
	start := func(i int) *peer.Server { return nodeAt(t, addresses[i], database) }
	nodes := []*peer.Server{start(0), start(1)}
	for _, address := range addresses { // the first start creates the tables, which may take longer than requests are held
		wait.Until(t, "the node is ready", func() bool { return isReady("http://" + address) })
	}
	l := newLoad(t, nginx(t, addresses...))
	l.several = true
	l.start()
	for round := range int(either(2, 20)) {
		time.Sleep(500 * time.Millisecond)
		i := round % 2
		if err := nodes[i].Stop(); err != nil {
			t.Errorf("node %d ended with %v", i, err)
		}
		time.Sleep(300 * time.Millisecond)
		l.during(func() {
			nodes[i] = start(i)
			wait.Until(t, "the node is ready", func() bool { return isReady("http://" + addresses[i]) })
		})
	}
	time.Sleep(500 * time.Millisecond)
	l.end()
	if _, n := l.troubles(); n > 0 {
		t.Errorf("%d requests were answered 503: %v", n, l.counts)
	}
	l.verify()
}

func isReady(base string) bool {
	response, err := http.Get(base + "/readyz")
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// nodeAt starts a server on an address of the test's choice.
func nodeAt(t *testing.T, address, database string, more ...string) *peer.Server {
	t.Helper()
	env := []string{"JOTGATE_DATABASE=" + database, "JOTGATE_SECRET_KEY=" + secret}
	s := peer.Serve(t, serve.Command(t, t.TempDir(), env, slices.Concat([]string{"serve", "--addr", address}, flags, more)...))
	for !dialable("http://" + address) {
		if s.Ended() {
			t.Fatalf("the node ended: %s", s.Output())
		}
		time.Sleep(5 * time.Millisecond)
	}
	return s
}

// nginxConf spreads requests over the nodes. A node that refuses the connection is passed over each time (max_fails=0, or
// the one that is back would stand aside while the next one goes); a request that was sent
// is sent to the other one only when it is safe to repeat.
const nginxConf = `
daemon off; master_process off; pid %[1]s/nginx.pid; error_log %[1]s/error.log warn;
events { worker_connections 512; }
http {
	access_log off;
	client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
	upstream jotgate { %[2]s keepalive 16; }
	server {
		listen %[3]s;
		location / {
			proxy_pass http://jotgate;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_set_header Host $host;
			proxy_next_upstream error timeout;
		}
	}
}
`

// nginx starts Debian's nginx in a folder of its own and returns its address.
func nginx(t *testing.T, nodes ...string) string {
	t.Helper()
	folder, address := t.TempDir(), freeport.Address(t)
	servers := ""
	for _, n := range nodes {
		servers += "server " + n + " max_fails=0; "
	}
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConf, folder, servers, address), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("nginx")
	if err != nil {
		path = "/usr/sbin/nginx" // not in everybody's PATH
	}
	server := peer.Serve(t, exec.Command(path, "-p", folder, "-c", file, "-e", filepath.Join(folder, "start.log")))
	for !dialable("http://" + address) {
		if server.Ended() {
			t.Fatalf("nginx ended: %s", server.Output())
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Cleanup(func() {
		if text, _ := os.ReadFile(filepath.Join(folder, "error.log")); t.Failed() {
			t.Logf("nginx: %.3000s", text)
		}
		server.Signal(syscall.SIGTERM)
	})
	return "http://" + address
}
