package store_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// follower reads the feed of events page by page.
type follower struct {
	*world
	db     *store.Store
	cursor string
	seen   []string // details, in order
}

// read reads one page and returns its length.
func (f *follower) read(limit int) int {
	f.Helper()
	page, err := f.db.Events().After(f.ctx, f.cursor, limit)
	f.must(err)
	if len(page) > limit {
		f.Errorf("%d events in a page of %d", len(page), limit)
	}
	for _, e := range page {
		f.cursor, f.seen = e.Cursor, append(f.seen, e.Detail)
	}
	return len(page)
}

// TestEventFeed lets several nodes write events, in transactions of different lengths of
// which some fail, and reads them at the same time on another node, in small pages: each
// event comes exactly once, and a second reader gets the same order.
func TestEventFeed(t *testing.T) {
	both(t, func(w *world) {
		const nodes, writers, each = 2, 4, 40
		var all sync.WaitGroup
		var done atomic.Int64
		f := &follower{world: w, db: w.open()}
		for node := range nodes {
			db := w.open()
			for n := range writers {
				all.Go(func() {
					defer done.Add(1)
					for i := range each {
						e := record.Event{Time: time.Unix(1_800_000_000, 0), Name: "login", Detail: fmt.Sprint(node, " ", n, " ", i)}
						if err := db.Events().Add(w.ctx, e); err != nil {
							w.Error(err)
						}
					}
				})
			}
		}
		all.Go(func() { // fails, or holds its id while others commit
			defer done.Add(1)
			for i := range each {
				if err := w.longEvent(fmt.Sprint("long ", i), i%4 == 0); err != nil {
					w.Error(err)
				}
			}
		})
		for last := false; ; {
			n := f.read(7)
			if n == 0 && last {
				break
			}
			last = done.Load() == nodes*writers+1
		}
		all.Wait()
		want := nodes*writers*each + each*3/4
		if distinct := slices.Compact(slices.Sorted(slices.Values(f.seen))); len(f.seen) != want || len(distinct) != want {
			t.Errorf("%d events, %d of them distinct; want %d", len(f.seen), len(distinct), want)
		}
		second := &follower{world: w, db: w.open()}
		for second.read(1000) > 0 {
		}
		if !slices.Equal(f.seen, second.seen) {
			t.Error("a second reader gets another order")
		}
	})
}

// longEvent adds an event in a transaction of several statements.
func (w *world) longEvent(detail string, fails bool) error {
	tx, err := w.beginWrite()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("INSERT INTO jotgate_event (made, event, detail) VALUES (1, 'login', $1)", detail); err != nil {
		return err
	}
	for range 5 {
		if _, err := tx.Exec("UPDATE jotgate_epoch SET epoch = epoch WHERE FALSE"); err != nil {
			return err
		}
	}
	if fails {
		return nil
	}
	return tx.Commit()
}

// beginWrite begins a transaction of a writer, which in SQLite is the only one.
func (w *world) beginWrite() (*sql.Tx, error) {
	tx, err := w.raw.Begin()
	if err == nil && w.name == "postgres" {
		return tx, nil
	}
	if err == nil { // takes the lock with busy_timeout
		_, err = tx.Exec("UPDATE jotgate_epoch SET epoch = epoch")
	}
	return tx, err
}

// An event that is committed after one with a higher id is not skipped: the feed waits for
// the transaction that is open.
func TestEventFeedWaitsForOpenTransactions(t *testing.T) {
	w := postgresWorld(t)
	f := &follower{world: w, db: w.open()}
	slow, err := w.raw.Begin()
	w.must(err)
	_, err = slow.Exec("INSERT INTO jotgate_event (made, event, detail) VALUES (1, 'login', 'slow')")
	w.must(err)
	w.exec("INSERT INTO jotgate_event (made, event, detail) VALUES (2, 'login', 'fast')")
	if f.read(10) != 0 {
		t.Errorf("while an event may still be committed before it: %q", f.seen)
	}
	w.must(slow.Commit())
	if f.read(10); !slices.Equal(f.seen, []string{"slow", "fast"}) {
		t.Errorf("%q", f.seen)
	}
}

// A cursor of another history of the database, or one that is not a cursor, is refused.
func TestEventFeedCursor(t *testing.T) {
	both(t, func(w *world) {
		f := &follower{world: w, db: w.open()}
		w.exec("INSERT INTO jotgate_event (made, event, detail) VALUES (2, 'login', 'a')")
		w.exec("INSERT INTO jotgate_event (made, event, detail) VALUES (1, 'login', 'b')")
		f.cursor = "0"
		for _, want := range []int{1, 1, 0} {
			if n := f.read(1); n != want {
				t.Errorf("%d events, want %d: %q", n, want, f.seen)
			}
		}
		if !slices.Equal(f.seen, []string{"a", "b"}) {
			t.Errorf("%q", f.seen)
		}
		for _, cursor := range []string{"1", f.cursor + "0x", f.cursor + " ", "x" + f.cursor, f.cursor[:12], f.cursor[:13], "--", f.cursor + "-1", "é"} {
			if _, err := f.db.Events().After(w.ctx, cursor, 10); !errors.Is(err, jotgate.ErrCursor) {
				t.Errorf("%q: %v", cursor, err)
			}
		}
		w.exec("UPDATE jotgate_epoch SET epoch = 'restored'")
		if _, err := f.db.Events().After(w.ctx, f.cursor, 10); !errors.Is(err, jotgate.ErrCursor) {
			t.Errorf("after a restore: %v", err)
		}
	})
}

// Events of another server, restored with numbers of its transactions, come first.
func TestEventFeedOfARestoredDump(t *testing.T) {
	w := postgresWorld(t)
	first := w.open()
	w.exec("INSERT INTO jotgate_event (made, event, detail, txid) VALUES (1, 'login', 'restored', 9000000000)")
	f := &follower{world: w, db: first}
	if f.read(10) != 0 {
		t.Errorf("before a node starts: %q", f.seen)
	}
	f.db = w.open()
	w.exec("INSERT INTO jotgate_event (made, event, detail) VALUES (1, 'login', 'new')")
	if f.read(10); !slices.Equal(f.seen, []string{"restored", "new"}) {
		t.Errorf("%q", f.seen)
	}
}
