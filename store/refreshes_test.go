package store_test

import (
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// TestManyRefreshes rotates the sessions of 16 clients again and again:
// JOTGATE_REFRESHES times in all, 1,000,000 in make scale, 4,000 here. There must
// be as many rows at the end as at the beginning, after a vacuum the files must
// not be larger than after the first tenth, and a refresh must not visit more
// pages. BenchmarkRotate has the times.
func TestManyRefreshes(t *testing.T) {
	many := number(t, "JOTGATE_REFRESHES", 4_000)
	if testing.Short() {
		many = 2_000
	}
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		s, err := sqlite.Open(t.Context(), filepath.Join(folder, "jotgate.db"), sqlitetest.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		refreshMany(t, s, many, func(w *world) int { return sizeOf(t, folder) }, sqliteRaw(t, folder))
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Start(t, pgtest.Options{Durable: true}).Database(t)
		s, err := postgres.Open(t.Context(), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		w := newWorld(t, "postgres", "pgx", dsn, nil)
		refreshMany(t, s, many, func(w *world) int {
			return w.count("SELECT SUM(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'jotgate%'")
		}, w)
	})
}

func sqliteRaw(t *testing.T, folder string) *world {
	return newWorld(t, "sqlite", "sqlite", "file:"+filepath.Join(folder, "jotgate.db")+"?_pragma=busy_timeout(180000)", nil)
}

// sizeOf is what the files of a folder hold, in bytes.
func sizeOf(t *testing.T, folder string) (total int) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			t.Fatal(err)
		}
		total += int(info.Size())
	}
	return total
}

// clients is how many refresh at once, each with a session of its own.
const clients = 16

// pagesOfARefresh bounds the pages that one refresh visits, after any number of
// others. It is 5 to 21, depending on the plan that PostgreSQL chooses with the
// statistics that autovacuum happens to have taken; the tables have 60 and more.
const pagesOfARefresh = 40

// refreshMany refreshes in ten parts and counts after each.
func refreshMany(t *testing.T, s *store.Store, many int, size func(*world) int, w *world) {
	a := w.account(s, "ada")
	sessions := make([]*record.Session, clients)
	for i := range sessions {
		sessions[i] = login(w, s, a.ID, rand.Text())
	}
	rows := func() int {
		return w.count("SELECT (SELECT COUNT(*) FROM jotgate_session) + (SELECT COUNT(*) FROM jotgate_event) + (SELECT COUNT(*) FROM jotgate_revocation)")
	}
	before := rows()
	seen := observe(w, s)
	var sizes, pages [10]int
	for tenth := range sizes {
		refreshAll(t, s, sessions, many/len(sizes)/clients)
		statements := 0
		statements, pages[tenth] = seen.work(func() error { return refresh(t.Context(), s, sessions[0]) })
		if statements == 0 || pages[tenth] == 0 {
			t.Fatalf("a refresh is %d statements that visit %d pages", statements, pages[tenth])
		}
		w.exec(w.on("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM"))
		sizes[tenth] = size(w)
	}
	t.Logf("%d refreshes by %d clients: pages that one visits after each tenth %v, KiB %v", many, clients, pages, kib(sizes))
	if n := rows(); n != before {
		t.Errorf("%d rows before, %d after", before, n)
	}
	if most := slices.Max(pages[:]); most > pagesOfARefresh {
		t.Errorf("a refresh visits %d pages, more than %d: %v", most, pagesOfARefresh, pages)
	}
	if sizes[9] > sizes[0]+1<<20 {
		t.Errorf("%d KiB after the first tenth, %d after the last", sizes[0]>>10, sizes[9]>>10)
	}
}

func kib(sizes [10]int) (list []int) {
	for _, size := range sizes {
		list = append(list, size>>10)
	}
	return list
}

// refreshAll refreshes every session n times, side by side.
func refreshAll(t *testing.T, s *store.Store, sessions []*record.Session, n int) {
	var running sync.WaitGroup
	for _, session := range sessions {
		running.Go(func() {
			for range n {
				if err := refresh(t.Context(), s, session); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
}

// refresh rotates the session's token.
func refresh(ctx context.Context, s *store.Store, session *record.Session) error {
	out, err := s.Sessions().Rotate(ctx, use(session, session.JTI, rand.Text()))
	if err == nil {
		session.JTI = out.Session.JTI
	}
	return err
}
