package scale

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
)

// TestNodes measures the refreshes and logins a second of 1, 2 and 4 nodes on one
// PostgreSQL, with as many clients altogether, in turns, and who uses the processor
// meanwhile. Of four nodes, one is killed.
func TestNodes(t *testing.T) {
	numbers, clients, turns, slice := []int{2}, 8, 1, 200*time.Millisecond
	if os.Getenv("SCALE") != "" {
		numbers, clients, turns, slice = []int{1, 2, 4}, 16, 3, 8*time.Second
	}
	program, err := binary.Build(t.TempDir())
	check(t, err)
	var farms []*farm
	for _, number := range numbers {
		farms = append(farms, newFarm(t, program, number, clients, pgtest.Database(t)))
	}
	for range turns {
		for _, f := range farms {
			f.measure("refreshes", slice, (*person).refreshOnce)
			f.measure("logins", slice, (*person).login)
		}
	}
	farms[len(farms)-1].kill(slice)
	for _, f := range farms {
		f.stop()
	}
}

// TestStatements counts what 1, 2 and 4 nodes send to one PostgreSQL for a refresh:
// the same statements, each prepared once on a connection.
func TestStatements(t *testing.T) {
	numbers, clients, each := []int{1, 2}, 4, int64(20)
	if os.Getenv("SCALE") != "" {
		numbers, clients, each = []int{1, 2, 4}, 16, 100
	}
	program, err := binary.Build(t.TempDir())
	check(t, err)
	var want string
	for _, number := range numbers {
		dsn := pgtest.Database(t)
		wire := newWire(t, dsn)
		f := newFarm(t, program, number, clients, wire.dsn)
		left := map[*person]*atomic.Int64{}
		for _, p := range f.people {
			left[p] = new(atomic.Int64)
			left[p].Store(each)
		}
		wire.reset()
		_, failed := f.run((*person).refreshOnce, func(p *person) bool { return left[p].Add(-1) > 0 })
		got := wire.often(int(each) * len(f.people))
		for p, err := range failed {
			t.Errorf("a refresh at %s: %v", p.node.Address, err)
		}
		if want == "" {
			want = got
		}
		t.Logf("%d nodes:\n%s", number, got)
		if got != want || !strings.Contains(got, "jotgate_session") {
			t.Errorf("%d nodes send for a refresh\n%s\nand one node\n%s", number, got, want)
		}
		if again := wire.twice(); len(again) > 0 {
			t.Errorf("%d nodes: a connection prepares again %q", number, again)
		}
		f.stop()
	}
}

// farm are nodes with one database.
type farm struct {
	*testing.T
	nodes  []*binary.Server
	people []*person
	server string // the process id of PostgreSQL
}

// person logs in and refreshes at one node.
type person struct {
	name    string
	node    *binary.Server
	client  *http.Client
	refresh string
}

// newFarm starts nodes on the database, with this many clients altogether.
func newFarm(t *testing.T, program string, number, clients int, dsn string) *farm {
	t.Helper()
	progress("%d nodes", number)
	flags := append([]string{"--database", dsn, "--log-level", "error", "--rate", "login=1000000/min;register=1000000/min;refresh=1000000/min"}, binary.Limits...)
	if os.Getenv("SCALE") == "" {
		flags = append(flags, "--hasher", "pbkdf2_sha256:1000")
	}
	f := &farm{T: t, server: postmaster(t, dsn)}
	for range number {
		node, err := binary.Serve(program, t.TempDir(), flags...)
		check(t, err)
		f.nodes = append(f.nodes, node)
		for i := range clients / number {
			p := &person{name: fmt.Sprintf("person%d-%d-%d", len(f.nodes), i, i*7919), node: node, client: &http.Client{Timeout: wait.Limit, Transport: &binary.Patient{Busy: true}}}
			check(t, p.post("/auth/users/", url.Values{"username": {p.name}, "password": {binary.Password}}, nil))
			check(t, p.login())
			f.people = append(f.people, p)
		}
	}
	return f
}

func (f *farm) stop() {
	f.Helper()
	for _, node := range f.nodes {
		check(f, node.Stop())
	}
}

// postmaster returns the process id of the database server.
func postmaster(t *testing.T, dsn string) string {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	check(t, err)
	defer func() { check(t, db.Close()) }()
	var pid string
	check(t, db.QueryRowContext(t.Context(), "SELECT pg_backend_pid()::text").Scan(&pid))
	return statOf(pid)[1]
}

// statOf returns the fields of /proc/PID/stat after the name.
func statOf(pid string) []string {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return make([]string, 20) // it has ended
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return strings.Fields(rest)
}

// ticks is the processor time of a process and of its children that have ended, in
// hundredths of a second.
func ticks(fields []string) (total int) {
	for _, field := range fields[11:15] {
		n, _ := strconv.Atoi(field)
		total += n
	}
	return total
}

// spent is the processor time of the nodes, of PostgreSQL and of this process.
func (f *farm) spent() (nodes, postgres, clients float64) {
	f.Helper()
	for _, node := range f.nodes {
		d, err := node.Spent()
		check(f, err)
		nodes += d.Seconds()
	}
	list, err := filepath.Glob("/proc/[0-9]*")
	check(f, err)
	for _, folder := range list {
		if pid := filepath.Base(folder); pid == f.server || statOf(pid)[1] == f.server {
			postgres += float64(ticks(statOf(pid))) / 100
		}
	}
	var u syscall.Rusage
	check(f, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return nodes, postgres, time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// measure lets everybody do something repeatedly for a time.
func (f *farm) measure(what string, slice time.Duration, do func(*person) error) {
	f.Helper()
	progress("%d nodes: %s", len(f.nodes), what)
	nodes, postgres, clients := f.spent()
	start := time.Now()
	done, failed := f.run(do, func(*person) bool { return time.Since(start) < slice })
	took := time.Since(start).Seconds()
	n, p, c := f.spent()
	each := func(seconds float64) float64 { return seconds * 1000 / float64(done) }
	f.Logf("%d nodes, %d clients: %.0f %s a second; milliseconds of a processor for each: nodes %.2f, PostgreSQL %.2f, clients %.2f", len(f.nodes), len(f.people),
		float64(done)/took, what, each(n-nodes), each(p-postgres), each(c-clients))
	for p, err := range failed {
		f.Errorf("%s at %s: %v", what, p.node.Address, err)
	}
}

// run lets everybody do something once, and again as long as more says and it does not fail.
func (f *farm) run(do func(*person) error, more func(*person) bool) (done int64, failed map[*person]error) {
	var all sync.WaitGroup
	var count atomic.Int64
	var lock sync.Mutex
	failed = map[*person]error{}
	for _, p := range f.people {
		all.Go(func() {
			for again := true; again; again = more(p) {
				if err := do(p); err != nil {
					lock.Lock()
					failed[p] = err
					lock.Unlock()
					return
				}
				count.Add(1)
			}
		})
	}
	all.Wait()
	return count.Load(), failed
}

// kill kills a node under load: only its clients may see an error, and none of these
// a response with one.
func (f *farm) kill(slice time.Duration) {
	f.Helper()
	progress("a node is killed")
	victim := f.nodes[len(f.nodes)-1]
	var killing sync.WaitGroup
	var killed atomic.Bool
	killing.Go(func() {
		time.Sleep(slice / 2)
		check(f, victim.Kill())
		time.Sleep(slice / 2) // the others continue
		killed.Store(true)
	})
	done, failed := f.run((*person).refreshOnce, func(p *person) bool { return p.node == victim || !killed.Load() })
	killing.Wait()
	for p, err := range failed {
		if refused := refusal(""); p.node != victim || errors.As(err, &refused) {
			f.Errorf("at %s: %v", p.node.Address, err)
		}
	}
	f.Logf("%d nodes, one killed: %d refreshes; %d clients of the killed node lost their connection, no other failed", len(f.nodes), done, len(failed))
	f.nodes = f.nodes[:len(f.nodes)-1]
	for p := range failed { // another node continues their sessions
		p.node = f.nodes[0]
		check(f, p.login())
		check(f, p.refreshOnce())
	}
}

func (p *person) login() error {
	return p.post("/api/token/", url.Values{"username": {p.name}, "password": {binary.Password}}, p)
}

func (p *person) refreshOnce() error {
	return p.post("/api/token/refresh/", url.Values{"refresh": {p.refresh}}, p)
}

// refusal is a response with an error.
type refusal string

func (r refusal) Error() string { return string(r) }

// post sends a form, and keeps the refresh token of the response for keep. The error is a
// refusal, or that of the connection.
func (p *person) post(path string, form url.Values, keep *person) error {
	response, err := p.client.PostForm("http://"+p.node.Address+path, form)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var body struct{ Refresh string }
	if err := json.Unmarshal(text, &body); err != nil || response.StatusCode > 299 {
		return refusal(fmt.Sprintf("%s: %s %s", path, response.Status, text))
	}
	if keep != nil && body.Refresh != "" {
		keep.refresh = body.Refresh
	}
	return nil
}
