package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// place is a server that allows some connections.
type place struct {
	mu            sync.Mutex
	allowed, open int
}

func (s *place) Connect(context.Context) (driver.Conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == s.allowed {
		return nil, &pgconn.PgError{Code: "53300", Message: "sorry, too many clients already"}
	}
	s.open++
	return &seat{server: s}, nil
}

func (s *place) Driver() driver.Driver { return nil }

type seat struct {
	driver.Conn
	server *place
}

func (c *seat) Close() error {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.open--
	return nil
}

// The pool has as many connections as the server allows, and more again when
// the server allows more.
func TestPoolGrowsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &place{allowed: 3}
		p := &pool{now: time.Now, log: slog.New(slog.DiscardHandler)}
		p.db = sql.OpenDB(connector{pool: p, writable: server, any: server})
		defer p.db.Close()
		p.capacity.max = 8
		p.resize(8)
		// use takes as many connections as there are, and returns how many.
		use := func() (n int) {
			var held []*sql.Conn
			for {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				conn, err := p.db.Conn(ctx)
				cancel()
				if err != nil {
					break
				}
				held = append(held, conn)
			}
			for _, conn := range held {
				conn.Close()
			}
			return len(held)
		}
		if n := use(); n != 3 || p.capacity.limit != 3 {
			t.Errorf("%d connections, limit %d, want 3", n, p.capacity.limit)
		}
		server.allowed = 100
		if n := use(); n != 3 {
			t.Errorf("%d connections before the time to grow", n)
		}
		time.Sleep(growEvery)
		p.grow(growEvery)
		if n := use(); n != 8 {
			t.Errorf("%d connections, want 8: each new one allows another", n)
		}
		server.allowed = 5
		if n := use(); n != 8 {
			t.Errorf("%d connections, want the 8 that are open", n)
		}
	})
}
