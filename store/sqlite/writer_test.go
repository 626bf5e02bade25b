package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/store"
)

// newTestWriter is a writer over a table t of numbers, where p refers to t at
// the commit.
func newTestWriter(t *testing.T) *writer {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.db")
	if err := create(path, false); err != nil {
		t.Fatal(err)
	}
	db := pool(path, Options{BusyTimeout: wait.Limit}, false)
	for _, text := range []string{
		"CREATE TABLE t (n integer PRIMARY KEY)",
		"CREATE TABLE p (n integer NOT NULL REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED)",
	} {
		if _, err := db.Exec(text); err != nil {
			t.Fatal(err)
		}
	}
	w := newWriter(db)
	t.Cleanup(func() { w.close() })
	return w
}

// sum is what the table holds.
func (w *writer) sum(t *testing.T) (n int) {
	t.Helper()
	err := w.write(t.Context(), func(ctx context.Context, q store.Queryer) error {
		rows, err := q.QueryContext(ctx, "SELECT COALESCE(SUM(n), 0) FROM t")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		return rows.Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// insert is a job that inserts n.
func insert(n int) func(context.Context, store.Queryer) error {
	return func(ctx context.Context, q store.Queryer) error {
		_, err := q.ExecContext(ctx, "INSERT INTO t (n) VALUES ($1)", n)
		return err
	}
}

// hold keeps the writer busy until the returned function is called, so that
// what is written meanwhile shares one commit.
func (w *writer) hold(t *testing.T) (release func()) {
	t.Helper()
	inside, free := make(chan struct{}), make(chan struct{})
	go w.write(context.Background(), func(context.Context, store.Queryer) error {
		close(inside)
		<-free
		return nil
	})
	<-inside
	return func() { close(free) }
}

// waitFor lets jobs queue up.
func (w *writer) waitFor(n int) {
	for len(w.jobs) < n {
		runtime.Gosched()
	}
}

var errOwn = errors.New("an error of the job's own")

// Jobs that share a commit fail separately: by an error, a panic, a
// constraint checked immediately, a constraint checked at the commit.
func TestJobsFailAlone(t *testing.T) {
	w := newTestWriter(t)
	jobs := []struct {
		name string
		do   func(context.Context, store.Queryer) error
		want func(error) bool
	}{
		{"1", insert(1), func(err error) bool { return err == nil }},
		{"an error after a write", func(ctx context.Context, q store.Queryer) error {
			return errors.Join(insert(10)(ctx, q), errOwn)
		}, func(err error) bool { return errors.Is(err, errOwn) }},
		{"2", insert(2), func(err error) bool { return err == nil }},
		{"a panic after a write", func(ctx context.Context, q store.Queryer) error {
			_ = insert(20)(ctx, q)
			panic("oh")
		}, func(err error) bool { return err != nil && strings.Contains(err.Error(), "panic in a transaction: oh") }},
		{"a key that exists", insert(1), isTaken},
		{"3", insert(3), func(err error) bool { return err == nil }},
		{"a foreign key at the commit", func(ctx context.Context, q store.Queryer) error {
			_, err := q.ExecContext(ctx, "INSERT INTO p (n) VALUES (99)")
			return err
		}, func(err error) bool { return code(err) == foreignKey }},
		{"4", insert(4), func(err error) bool { return err == nil }},
	}
	release := w.hold(t)
	var wg sync.WaitGroup
	errs := make([]error, len(jobs))
	for i, j := range jobs {
		wg.Go(func() { errs[i] = w.write(t.Context(), j.do) })
		w.waitFor(i + 1) // in this order
	}
	release()
	wg.Wait()
	for i, j := range jobs {
		if !j.want(errs[i]) {
			t.Errorf("%s: %v", j.name, errs[i])
		}
	}
	if n := w.sum(t); n != 1+2+3+4 {
		t.Errorf("the table holds %d, want 10", n)
	}
}

// A job whose caller gives up in the queue does not run; a caller that gives
// up later gets the actual result.
func TestGivingUp(t *testing.T) {
	w := newTestWriter(t)
	release := w.hold(t)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error)
	go func() { result <- w.write(ctx, insert(1)) }()
	w.waitFor(1)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("in the queue: %v", err)
	}
	release()
	if n := w.sum(t); n != 0 {
		t.Errorf("a job that was given up wrote %d", n)
	}

	ctx, cancel = context.WithCancel(t.Context())
	err := w.write(ctx, func(run context.Context, q store.Queryer) error {
		cancel()
		return insert(5)(run, q)
	})
	if n := w.sum(t); err != nil || n != 5 {
		t.Errorf("after it began: %v, and the table holds %d", err, n)
	}
}

// A write with a context that is already done never enters the queue, where
// the writer could begin the job before its caller looks: not in any of 64
// tries.
func TestLeavingBefore(t *testing.T) {
	w := newTestWriter(t)
	release := w.hold(t)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 64 {
		if err := w.write(ctx, insert(i+1)); !errors.Is(err, context.Canceled) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if n := len(w.jobs); n != 0 {
		t.Errorf("%d jobs of callers who had left wait in the queue", n)
	}
}

// Close finishes the waiting jobs and refuses later ones.
func TestCloseFinishesWhatWaits(t *testing.T) {
	w := newTestWriter(t)
	release := w.hold(t)
	var wg sync.WaitGroup
	errs := make([]error, 5)
	for i := range errs {
		wg.Go(func() { errs[i] = w.write(t.Context(), insert(i+1)) })
	}
	w.waitFor(len(errs))
	closed := make(chan error)
	go func() { closed <- w.close() }()
	release()
	wg.Wait()
	if err := errors.Join(append(errs, <-closed)...); err != nil {
		t.Error(err)
	}
	if err := w.write(t.Context(), insert(9)); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		have string
		want bool
	}{{"3.52.0", true}, {"3.52.1", true}, {"3.53.0", true}, {"4.0.0", true}, {"3.51.9", false}, {"3.9.0", false}, {"3.52", false}, {"", false}} {
		if got := atLeast(c.have, oldest); got != c.want {
			t.Errorf("atLeast(%q) = %v", c.have, got)
		}
	}
}

// A full disk has its own sentence; SQLite's own page limit makes it here.
func TestFullDiskIsNamed(t *testing.T) {
	w := newTestWriter(t)
	err := w.write(t.Context(), func(ctx context.Context, q store.Queryer) error {
		if err := exec(ctx, q, "PRAGMA max_page_count = 1"); err != nil {
			return err
		}
		return exec(ctx, q, "CREATE TABLE big AS SELECT randomblob(100000)")
	})
	if err := explain("x.db", err); err == nil || !strings.HasPrefix(err.Error(), "the database file x.db cannot grow: the disk is full") {
		t.Error(err)
	}
	if err := w.write(t.Context(), insert(1)); err != nil {
		t.Errorf("on a new connection: %v", err)
	}
}

// SQLite says of a folder that cannot be written only that the file cannot be opened.
func TestFolderThatCannotBeWritten(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	if err := os.WriteFile(folder, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db := pool(t.TempDir(), Options{}, false)
	defer db.Close()
	err := db.PingContext(t.Context())
	if code(err)&0xff != cantOpen {
		t.Fatal(err)
	}
	if err := writable(filepath.Join(folder, "a.db"), err); !strings.Contains(err.Error(), "SQLite must be able to write in its folder") {
		t.Error(err)
	}
	if reason := writable(filepath.Join(t.TempDir(), "a.db"), err); reason.Error() != err.Error() {
		t.Error(reason)
	}
}

func TestTimesAreDjangos(t *testing.T) {
	for _, c := range []struct {
		t    time.Time
		want string
	}{
		{time.Date(2026, 11, 23, 14, 3, 37, 125516000, time.UTC), "2026-11-23 14:03:37.125516"},
		{time.Date(2026, 11, 23, 14, 3, 37, 120000999, time.UTC), "2026-11-23 14:03:37.120000"},
		{time.Date(2026, 11, 23, 14, 3, 37, 999, time.UTC), "2026-11-23 14:03:37"},
		{time.Date(2026, 11, 23, 1, 0, 0, 0, time.FixedZone("", 2*3600)), "2026-11-22 23:00:00"},
		{time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), "9999-12-31 23:59:59.999999"},
	} {
		if got := formatTime(c.t); got != c.want {
			t.Errorf("%v is written %q, want %q", c.t, got, c.want)
		}
	}
}
