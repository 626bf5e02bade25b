package faults

// A long run: a mixed load while keys rotate and the server restarts. What must not grow is measured on the way: memory,
// open files and threads of the process, rows of the tables. How much of it is normal depends on the load that the machine
// is able to make, so only the long form fails by it. Both forms compare what is left when the load has ended: the rows
// after a purge, and the goroutines.

import (
	"database/sql"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/peer"
	"github.com/jotgate/jotgate/interop/serve"
)

// sample is what one look at the process and its tables shows.
type sample struct {
	rss     int // MiB
	files   int
	threads int
	rows    map[string]int
}

// growing are the tables that a careless server would let grow. Those of the accounts have no clients here.
var growing = []string{"jotgate_session", "jotgate_revocation", "jotgate_event", "jotgate_failure", "jotgate_network", "jotgate_key", "jotgate_outbox"}

func TestSoak(t *testing.T) {
	t.Parallel()
	whole := soakTime(t)
	r := newRun(t)
	first := r.goroutines()
	r.start()
	var seen []sample
	began, step := time.Now(), max(whole/40, 300*time.Millisecond)
	for turn := 1; time.Since(began) < whole; turn++ {
		time.Sleep(step)
		r.command("purge", "--keep=3s")
		switch {
		case turn%12 == 6:
			r.rotateKeys()
		case turn%12 == 0:
			r.restart()
		}
		seen = append(seen, r.look())
	}
	r.load.end()
	r.load.verify()
	r.purged()
	last := r.goroutines()
	t.Logf("goroutines at rest: %d when new, %d after %v", first, last, whole)
	if last > first+10 {
		t.Errorf("goroutines grew from %d to %d", first, last)
	}
	level(t, seen)
}

// purged purges until the tables have no more rows than users, keys and sessions have. A session has its row until its refresh token
// expires, which in the short form is later.
func (r *running) purged() {
	r.t.Helper()
	logins := r.load.counts["login 200"] + r.load.counts["changer's login 200"]
	for _, table := range growing {
		limit := 0
		switch {
		case table == "jotgate_key":
			limit = 1 + r.keys
		case table == "jotgate_network": // where a user has logged in before
			limit = len(r.load.members)
		case table == "jotgate_session" && !longSoak():
			limit = logins
		}
		rows := 0
		wait.Until(r.t, fmt.Sprintf("a purge has left %d rows of %s", limit, table), func() bool {
			r.command("purge", "--keep=1s")
			rows = r.look().rows[table]
			return rows <= limit
		})
		r.t.Logf("%d rows of %s are left after %d logins", rows, table, logins)
	}
}

// level compares the second quarter of the samples with the last one.
func level(t *testing.T, seen []sample) {
	t.Helper()
	n := len(seen) / 4
	compare := func(what string, slack int, of func(sample) int) {
		early, late := 0, 0
		for i := range n {
			early, late = max(early, of(seen[n+i])), max(late, of(seen[len(seen)-1-i]))
		}
		t.Logf("%s: at most %d early, %d late", what, early, late)
		if longSoak() && late > early+early/4+slack {
			t.Errorf("%s grew from %d to %d", what, early, late)
		}
	}
	compare("MiB of memory", 8, func(s sample) int { return s.rss })
	compare("open files", 8, func(s sample) int { return s.files })
	compare("threads", 6, func(s sample) int { return s.threads })
	for _, table := range growing {
		compare("rows of "+table, 600, func(s sample) int { return s.rows[table] })
	}
}

// running is a server under load on an address that it keeps.
type running struct {
	t                 *testing.T
	load              *load
	server            *peer.Server
	address, database string
	file              string
	keys              int // added
}

func newRun(t *testing.T) *running {
	t.Helper()
	r := &running{t: t, address: freeport.Address(t), file: filepath.Join(t.TempDir(), "jotgate.db")}
	r.database = "sqlite:" + r.file
	r.up()
	r.load = newLoad(t, "http://"+r.address)
	r.load.lifetime = soakLifetime
	return r
}

// soakLifetime is so brief that a short run shows whether what has expired goes.
const soakLifetime = 3 * time.Second

// up starts the server.
func (r *running) up() {
	r.t.Helper()
	more := []string{"--access-token-lifetime=" + soakLifetime.String()}
	if longSoak() { // a slow machine may refresh later
		more = append(more, "--refresh-token-lifetime=1m")
	}
	r.server = nodeAt(r.t, r.address, r.database, more...)
}

// start starts the clients, all but those who register.
func (r *running) start() {
	for range 3 {
		s := &session{tokens: r.load.login("alice", password), last: time.Now()}
		r.load.live = append(r.load.live, s)
		r.load.run(func(int) { r.load.refresh(s) })
	}
	r.load.run(r.load.stranger)
	r.load.run(func(int) { r.load.inAndOut() })
	r.load.run(func(int) { r.load.ghost() })
	candidates := []string{password}
	r.load.run(func(turn int) { candidates = r.load.change(turn, candidates) })
	r.load.register("somebody") // for verify
}

// command runs the binary beside the server.
func (r *running) command(args ...string) string {
	r.t.Helper()
	env := []string{"JOTGATE_DATABASE=" + r.database, "JOTGATE_SECRET_KEY=" + secret}
	out, err := serve.Command(r.t, r.t.TempDir(), env, args...).CombinedOutput()
	if err != nil {
		r.t.Errorf("jotgate %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// rotateKeys publishes a key, waits until the server has it, and switches to it.
func (r *running) rotateKeys() {
	r.t.Helper()
	r.command("key", "add", "ES256")
	r.keys++
	time.Sleep(3 * time.Second)
	r.command("key", "rotate", "--now")
}

// restart ends the server as an operator does and starts it again.
func (r *running) restart() {
	r.t.Helper()
	r.load.away.Store(true)
	if err := r.server.Stop(); err != nil {
		r.t.Errorf("the server ended with %v", err)
	}
	r.up()
	r.load.away.Store(false)
}

// look reads /proc and counts rows.
func (r *running) look() sample {
	r.t.Helper()
	folder := fmt.Sprintf("/proc/%d/", r.server.Pid())
	status, err := os.ReadFile(folder + "status")
	if err != nil {
		r.t.Fatal(err)
	}
	number := func(name string) int {
		found := regexp.MustCompile(name + `:\s+(\d+)`).FindSubmatch(status)
		n, _ := strconv.Atoi(string(found[1]))
		return n
	}
	files, err := os.ReadDir(folder + "fd")
	if err != nil {
		r.t.Fatal(err)
	}
	s := sample{rss: number("VmRSS") / 1024, threads: number("Threads"), files: len(files), rows: map[string]int{}}
	db, err := sql.Open("sqlite", "file:"+r.file+"?_pragma=busy_timeout(180000)")
	if err != nil {
		r.t.Fatal(err)
	}
	defer db.Close()
	for _, table := range growing {
		var n int
		if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
			r.t.Errorf("%s: %v", table, err)
		}
		s.rows[table] = n
	}
	return s
}

// goroutines counts them when the server has closed the connections of the clients: Go lists them all when it gets SIGQUIT.
// Afterwards a new server runs.
func (r *running) goroutines() int {
	r.t.Helper()
	r.load.http.CloseIdleConnections()
	wait.Until(r.t, "the server has closed its connections", func() bool { return r.connections() == 0 })
	r.server.Signal(syscall.SIGQUIT)
	wait.Until(r.t, "the server has ended", r.server.Ended)
	n := strings.Count(r.server.Output(), "\ngoroutine ")
	if n == 0 {
		r.t.Errorf("there are no goroutines in what the server wrote: %.300q", r.server.Output())
	}
	r.up()
	return n
}

// connections counts the established connections to the server's port, which /proc shows in hexadecimal.
func (r *running) connections() (n int) {
	r.t.Helper()
	table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/tcp", r.server.Pid()))
	if err != nil {
		r.t.Fatal(err)
	}
	address := netip.MustParseAddrPort(r.address)
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 3 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", address.Port())) && fields[3] == "01" {
			n++
		}
	}
	return n
}
