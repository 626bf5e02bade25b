package store_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// BenchmarkRotate measures durable rotations by 16 clients, each with its own
// session; one operation is one rotation.
func BenchmarkRotate(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		s, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "jotgate.db"), sqlitetest.Options)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		rotateByMany(b, s)
	})
	b.Run("postgres", func(b *testing.B) {
		s, err := postgres.Open(b.Context(), pgtest.Start(b, pgtest.Options{Durable: true}).Database(b), postgrestest.Options)
		if err != nil {
			b.Fatal(err)
		}
		defer s.Close()
		rotateByMany(b, s)
	})
}

func rotateByMany(b *testing.B, s *store.Store) {
	ctx := context.Background()
	a := &record.Account{Username: "ada", Password: "first", IsActive: true}
	if err := s.Accounts().Create(ctx, a); err != nil {
		b.Fatal(err)
	}
	var sessions [clients]*record.Session
	for i := range sessions {
		sessions[i] = &record.Session{ID: rand.Text(), User: a.ID, JTI: rand.Text(), Created: noon, LastSeen: noon, Expires: noon.Add(time.Hour)}
		if err := s.Sessions().Create(ctx, sessions[i], "first"); err != nil {
			b.Fatal(err)
		}
	}
	work := make(chan struct{})
	var wg sync.WaitGroup
	b.ResetTimer()
	for _, session := range sessions {
		wg.Go(func() {
			for range work {
				out, err := s.Sessions().Rotate(ctx, use(session, session.JTI, rand.Text()))
				if err != nil {
					b.Error(err)
					return
				}
				session.JTI = out.Session.JTI
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rotations/s")
}
