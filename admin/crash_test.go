package admin_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// jobChild is set in the process that works on a job until it is killed: this test
// binary, run again.
const jobChild = "JOTGATE_ADMIN_CHILD"

func TestMain(m *testing.M) {
	dsn := os.Getenv(jobChild)
	if dsn == "" {
		os.Exit(m.Run())
	}
	_, a, err := openSite(context.Background(), dsn)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	a.Work(context.Background())
}

// openSite opens a database with the real clock.
func openSite(ctx context.Context, dsn string) (*jotgate.Gate, *admin.Admin, error) {
	var db *store.Store
	var err error
	if strings.HasPrefix(dsn, "postgres") {
		db, err = postgres.Open(ctx, dsn, postgrestest.Options)
	} else {
		db, err = sqlite.Open(ctx, dsn, sqlitetest.Options)
	}
	if err != nil {
		return nil, nil, err
	}
	hasher, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		return nil, nil, err
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: "0123456789abcdefghijklmnopqrstuvwxyz-crash", Hasher: hasher, Logger: slog.New(slog.DiscardHandler),
	}, db)
	if err != nil {
		return nil, nil, err
	}
	a, err := admin.NewActions(gate, admin.Options{})
	return gate, a, err
}

// bulk is a job in a database, and a connection that looks at it.
type bulk struct {
	testing.TB
	dsn   string
	gate  *jotgate.Gate
	admin *admin.Admin
	raw   *sql.DB
	users int
	kills int
}

// The process that deactivates many users is killed again and again: the job continues
// where it was, no user is changed twice or half, logins go on, and it can be undone,
// also with kills. LONG=1 has 12,345 users and 50 kills.
func TestCrashOfAJob(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "jotgate.db") },
		"postgres": func(t *testing.T) string { return pgtest.Database(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := &bulk{TB: t, dsn: dsn(t), users: rounds.Of(120, 12_345), kills: rounds.Of(3, 50)}
			b.fill()
			quiet := b.logins(func() { time.Sleep(time.Duration(rounds.Of(1, 2000)) * time.Millisecond) })
			result, err := b.admin.Act(t.Context(), b.admin.Operator(), "job.start", "", admin.Fields{"action": {"user.deactivate"}, "all": {"true"}, "staff": {"false"}, "active": {"true"}})
			if err != nil {
				t.Fatal(err)
			}
			busy := b.logins(func() { b.killUntil(result.Target, adminstore.JobDone) })
			b.consistent(result.Target, b.users, 0)
			if n := b.count("SELECT COUNT(*) FROM jotgate_session WHERE ended IS NULL AND user_id <> '1'"); n != 0 {
				t.Errorf("%d sessions of deactivated users are live", n)
			}
			if _, err := b.admin.Act(t.Context(), b.admin.Operator(), "job.undo", result.Target, nil); err != nil {
				t.Fatal(err)
			}
			b.killUntil(result.Target, adminstore.JobUndone)
			b.consistent(result.Target, b.users, b.users)
			t.Logf("%d users, %d kills; logins: 99th percentile %v before, %v during the job", b.users, b.kills, quiet, busy)
		})
	}
}

// fill creates the users, some with a session, and a member of staff who logs in.
func (b *bulk) fill() {
	b.Helper()
	var err error
	if b.gate, b.admin, err = openSite(b.Context(), b.dsn); err != nil {
		b.Fatal(err)
	}
	driver, dsn := "sqlite", "file:"+b.dsn+"?_pragma=busy_timeout(180000)"
	if strings.HasPrefix(b.dsn, "postgres") {
		driver, dsn = "pgx", b.dsn
	}
	if b.raw, err = sql.Open(driver, dsn); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = b.raw.Close() })
	password, err := b.gate.Accounts().MakePassword(b.Context(), "a lamp under seven clouds")
	if err != nil {
		b.Fatal(err)
	}
	for i := range b.users + 1 {
		a := &record.Account{Username: fmt.Sprintf("user%d", i), Password: password, IsActive: true, IsStaff: i == 0, DateJoined: time.Now()}
		if err := b.gate.Store().Accounts().Create(b.Context(), a); err != nil {
			b.Fatal(err)
		}
		if i%100 == 1 {
			b.login(a.Username)
		}
	}
}

func (b *bulk) login(name string) time.Duration {
	b.Helper()
	begun := time.Now()
	if _, err := b.gate.Login(b.Context(), name, "a lamp under seven clouds", jotgate.Client{}); err != nil {
		b.Errorf("%s cannot log in: %v", name, err)
	}
	return time.Since(begun)
}

// logins logs user0 in as long as do runs, and returns the 99th percentile of the times.
func (b *bulk) logins(do func()) time.Duration {
	b.Helper()
	stop, done := make(chan struct{}), make(chan []time.Duration)
	go func() {
		var times []time.Duration
		for { // at least once, however long the machine takes to begin
			times = append(times, b.login("user0"))
			select {
			case <-stop:
				done <- times
				return
			case <-time.After(time.Duration(rounds.Of(20, 0)) * time.Millisecond): // leaves the processor to the job
			}
		}
	}()
	do()
	close(stop)
	times := <-done
	slices.Sort(times)
	return times[len(times)*99/100]
}

// killUntil starts processes that work on the job, kills each after it has changed
// something, and lets the last one end. A process also ends if a slice fails, for
// example on a machine where it takes longer than the limit of a write: the next one
// continues, as Admin.Run does.
func (b *bulk) killUntil(id string, end adminstore.JobState) {
	b.Helper()
	for n := 0; ; n++ {
		before := b.job(id)
		cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), jobChild+"="+b.dsn)
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		if n >= b.kills {
			if err := cmd.Wait(); err != nil {
				b.Fatal(err)
			}
			job := b.job(id)
			if job.State == end {
				return
			}
			if job.Position == before.Position {
				b.Fatalf("the last process has left the job %+v", job)
			}
			b.consistent(id, -1, -1)
			continue
		}
		wait.Until(b.TB, "the job continues", func() bool { j := b.job(id); return j.Position != before.Position || j.State == end })
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		b.consistent(id, -1, -1)
	}
}

func (b *bulk) job(id string) *adminstore.Job {
	b.Helper()
	n, _ := strconv.ParseInt(id, 10, 64)
	list, err := b.gate.Store().(*store.Store).Admin().Jobs(b.Context(), n+1, 1)
	if err != nil || len(list) != 1 {
		b.Fatal(list, err)
	}
	return &list[0]
}

// consistent checks that users, events and job agree, in one state of the database:
// nothing is half done. done and undone are the numbers to expect, or -1.
func (b *bulk) consistent(id string, done, undone int) {
	b.Helper()
	var inactive, off, on, twice, jobDone, jobUndone, skipped int
	err := b.raw.QueryRowContext(b.Context(), `SELECT (SELECT COUNT(*) FROM auth_user WHERE is_active = false),
(SELECT COUNT(*) FROM jotgate_event WHERE parent = j.parent AND detail = 'user.deactivate'),
(SELECT COUNT(*) FROM jotgate_event WHERE parent = j.parent AND detail = 'user.activate'),
(SELECT COUNT(*) FROM (SELECT user_id FROM jotgate_event WHERE parent = j.parent GROUP BY user_id, detail HAVING COUNT(*) > 1) AS d),
j.done, j.undone, j.skipped FROM jotgate_job AS j WHERE j.id = `+id).Scan(&inactive, &off, &on, &twice, &jobDone, &jobUndone, &skipped)
	if err != nil {
		b.Fatal(err)
	}
	if twice != 0 || skipped != 0 || off != jobDone || on != jobUndone || inactive != off-on || done >= 0 && (jobDone != done || jobUndone != undone) {
		b.Errorf("%d users are inactive; %d events of deactivation, %d of activation, %d users twice; the job says %d done, %d undone, %d skipped",
			inactive, off, on, twice, jobDone, jobUndone, skipped)
	}
}

func (b *bulk) count(text string) (n int) {
	b.Helper()
	if err := b.raw.QueryRowContext(b.Context(), text).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}
