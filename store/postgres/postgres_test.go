package postgres_test

import (
	"database/sql"
	"strconv"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) record.Store { return postgrestest.Open(t) })
}

// A refresh rewrites one row and no index (a heap-only tuple), so that the
// table does not grow with refreshes.
func TestRefreshesLeaveTheTableSmall(t *testing.T) {
	dsn := pgtest.Database(t)
	s := postgrestest.OpenAt(t, dsn)
	a := account("ada")
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	session := &record.Session{ID: "sid", User: a.ID, JTI: "0", Created: now, LastSeen: now, Expires: now.Add(time.Hour)}
	if err := s.Sessions().Create(t.Context(), session, "first"); err != nil {
		t.Fatal(err)
	}
	const refreshes = 3000
	for i := range refreshes {
		now = now.Add(time.Second)
		_, err := s.Sessions().Rotate(t.Context(), record.Rotation{
			Session: "sid", User: a.ID, Presented: strconv.Itoa(i), Next: strconv.Itoa(i + 1), Now: now, Expires: now.Add(time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, size int
	err = db.QueryRow("SELECT (SELECT COUNT(*) FROM jotgate_session), pg_relation_size('jotgate_session') + pg_indexes_size('jotgate_session')").Scan(&rows, &size)
	if err != nil || rows != 1 || size > 200<<10 {
		t.Errorf("after %d refreshes: %d rows, %d KiB, %v", refreshes, rows, size>>10, err)
	}
}
