package scale

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// TestGuards measures how long a revocation takes to many guards that follow one node
// over HTTP, and the processor time of the node, which is a process of its own. There is
// one revocation a second among 10,000 earlier ones.
func TestGuards(t *testing.T) {
	number, rounds, pause := 5, 2, time.Duration(0)
	if os.Getenv("SCALE") != "" {
		number, rounds, pause = 1000, 20, time.Second
	}
	// Guards in their own processes would keep their connections, too.
	http.DefaultTransport.(*http.Transport).MaxIdleConns, http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 0, number
	node := startNode(t, rounds)
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	check(t, err)
	guards := make([]*jotgate.Guard, number)
	progress("%d guards", number)
	for i := range guards {
		guards[i], err = jotgate.NewGuard(jotgate.GuardSettings{Keys: key, RevocationsURL: node.url + "/feed", Logger: slog.New(slog.DiscardHandler)})
		check(t, err)
		running.Go(func() { _ = guards[i].Run(ctx) })
	}
	t.Cleanup(func() { end(); running.Wait() })
	for _, guard := range guards {
		wait.Until(t, "each guard has read the feed", func() bool { return guard.RevocationAge() < time.Minute })
	}
	progress("%d revocations", rounds)
	var times []time.Duration
	start, used := time.Now(), node.seconds()
	for i := range rounds {
		next := time.Now().Add(pause)
		times = append(times, node.revoke(guards, i)...)
		time.Sleep(time.Until(next))
	}
	cores := (node.seconds() - used) / time.Since(start).Seconds()
	slices.Sort(times)
	of := func(percent int) time.Duration { return times[len(times)*percent/100].Round(time.Millisecond) }
	t.Logf("%d guards, %d revocations, %.1f a second: median %v, p99 %v, slowest %v; the node used %.2f cores", number, rounds,
		float64(rounds)/time.Since(start).Seconds(), of(50), of(99), times[len(times)-1].Round(time.Millisecond), cores)
}

// node is a process that TestNode runs in.
type node struct {
	*testing.T
	url string
}

const nodeVariable = "SCALE_NODE" // the number of its sessions

func startNode(t *testing.T, sessions int) *node {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestNode$")
	cmd.Env = append(os.Environ(), nodeVariable+"="+strconv.Itoa(sessions))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	check(t, err)
	return &node{t, strings.TrimSpace(line)}
}

// TestNode is the node of TestGuards, in its process.
func TestNode(t *testing.T) {
	sessions, err := strconv.Atoi(os.Getenv(nodeVariable))
	if err != nil {
		return
	}
	s := newSite(t, "sqlite", "pbkdf2_sha256:1")
	s.begin(sessions)
	s.exec(`WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10000)
INSERT INTO jotgate_revocation (session, made) SELECT printf('%032x', n), strftime('%s', 'now') * 1000000 FROM c`, "")
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.gate.Run(ctx) })
	mux := http.NewServeMux()
	mux.Handle("/feed", s.gate.Sessions().RevocationFeed())
	of := func(r *http.Request) jotgate.Tokens {
		i, _ := strconv.Atoi(r.PathValue("session"))
		return s.tokens[i]
	}
	mux.HandleFunc("GET /token/{session}", func(w http.ResponseWriter, r *http.Request) { _ = json.NewEncoder(w).Encode(of(r).Access) })
	mux.HandleFunc("POST /revoke/{session}", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(fmt.Sprint(s.gate.Logout(r.Context(), of(r).Refresh, jotgate.Client{})))
	})
	mux.HandleFunc("GET /seconds", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(fmt.Sprint(processor(t).Seconds()))
	})
	server := httptest.NewServer(mux)
	fmt.Println(server.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until TestGuards ends
	end()
	running.Wait()
	server.CloseClientConnections()
	server.Close()
}

// ask requests a path of the node and returns the text in its response.
func (n *node) ask(method, path string) (text string) {
	n.Helper()
	r, err := http.NewRequestWithContext(n.Context(), method, n.url+path, nil)
	check(n, err)
	response, err := http.DefaultClient.Do(r)
	check(n, err)
	defer response.Body.Close()
	check(n, json.NewDecoder(response.Body).Decode(&text))
	return text
}

func (n *node) seconds() float64 {
	n.Helper()
	seconds, err := strconv.ParseFloat(n.ask("GET", "/seconds"), 64)
	check(n, err)
	return seconds
}

// revoke ends a session and returns when each guard refused its token, counted from the
// response to the logout.
func (n *node) revoke(guards []*jotgate.Guard, session int) (times []time.Duration) {
	n.Helper()
	token := n.ask("GET", fmt.Sprint("/token/", session))
	for _, guard := range guards {
		_, err := guard.VerifyAccess(token)
		check(n, err)
	}
	if failed := n.ask("POST", fmt.Sprint("/revoke/", session)); failed != "<nil>" {
		n.Fatal(failed)
	}
	start := time.Now()
	left := slices.Clone(guards)
	wait.Until(n, "each guard refuses the token", func() bool {
		time.Sleep(20 * time.Millisecond) // so that the loop takes little of the processor time
		left = slices.DeleteFunc(left, func(guard *jotgate.Guard) bool {
			_, err := guard.VerifyAccess(token)
			if err != nil {
				times = append(times, time.Since(start))
			}
			return err != nil
		})
		return len(left) == 0
	})
	return times
}

// processor is the processor time of the process.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	check(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
