package store_test

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// TestManyRefreshes rotates the sessions of 16 clients again and again:
// JOTGATE_REFRESHES times in all, 1,000,000 in make scale, 20,000 here. Rows
// must not come of it, nor may the tables grow after the first tenth by more
// than what a vacuum has yet to take back. The time of a refresh in the first
// and the last tenth is told. The machine may have become busier meanwhile, so
// what fails is a quickest of the last three tenths of twice the quickest of
// the first three.
func TestManyRefreshes(t *testing.T) {
	many := 20_000
	if testing.Short() {
		many = 2_000
	}
	if text := os.Getenv("JOTGATE_REFRESHES"); text != "" {
		var err error
		if many, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		folder := t.TempDir()
		s, err := sqlite.Open(t.Context(), filepath.Join(folder, "jotgate.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		refreshMany(t, s, many, func(w *world) int { return sizeOf(t, folder) }, sqliteRaw(t, folder))
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Start(t, pgtest.Options{Durable: true}).Database(t)
		s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
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
	return newWorld(t, "sqlite", "sqlite", "file:"+filepath.Join(folder, "jotgate.db")+"?_pragma=busy_timeout(5000)", nil)
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

// refreshMany refreshes in ten parts and compares the first with the last.
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
	var took [10]time.Duration
	var sizes [10]int
	for tenth := range took {
		took[tenth] = refreshAll(t, s, sessions, many/len(took)/clients)
		sizes[tenth] = size(w)
	}
	first, last := took[0]/time.Duration(many/10), took[9]/time.Duration(many/10)
	t.Logf("%d refreshes by %d clients: %v a refresh in the first tenth (%.0f/s), %v in the last (%.0f/s); %d rows before, %d after; %d KiB after the first tenth, %d KiB after the last",
		many, clients, first, 1/first.Seconds(), last, 1/last.Seconds(), before, rows(), sizes[0]>>10, sizes[9]>>10)
	if n := rows(); n != before {
		t.Errorf("%d rows before, %d after", before, n)
	}
	if !testing.Short() && slices.Min(took[7:]) > 2*slices.Min(took[:3]) {
		t.Errorf("refreshes take longer and longer: %v", took)
	}
	if sizes[9] > sizes[0]+8<<20 {
		t.Errorf("%d bytes after the first tenth, %d after the last", sizes[0], sizes[9])
	}
}

// refreshAll refreshes every session n times, side by side.
func refreshAll(t *testing.T, s *store.Store, sessions []*record.Session, n int) time.Duration {
	var running sync.WaitGroup
	began := time.Now()
	for _, session := range sessions {
		running.Go(func() {
			for range n {
				out, err := s.RotateSession(t.Context(), use(session, session.JTI, rand.Text()))
				if err != nil {
					t.Error(err)
					return
				}
				session.JTI = out.Session.JTI
			}
		})
	}
	running.Wait()
	return time.Since(began)
}
