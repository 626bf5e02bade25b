package sqlite_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// A rotation writes the page that has the session, and none of an index.
func TestRotationWritesOnePage(t *testing.T) {
	s, path := openFile(t)
	a := account("ada")
	if err := s.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	session := &record.Session{ID: "sid", User: a.ID, JTI: "0", Created: at, LastSeen: at, Expires: at.Add(time.Hour)}
	if err := s.Sessions().Create(t.Context(), session, "first"); err != nil {
		t.Fatal(err)
	}
	size := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const frame = 24 + 4096 // sqlite.org/fileformat2.html, 4.1
	for i := range 5 {
		before := size()
		_, err := s.Sessions().Rotate(t.Context(), record.Rotation{
			Session: "sid", User: a.ID, Presented: strconv.Itoa(i), Next: strconv.Itoa(i + 1), Now: at.Add(time.Minute), Expires: at.Add(2 * time.Hour),
		})
		if err != nil {
			t.Fatal(err)
		}
		if grown := size() - before; grown != frame {
			t.Errorf("rotation %d wrote %d bytes, want %d", i, grown, frame)
		}
	}
}
