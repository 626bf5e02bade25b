package oauth_test

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// An assertion that is sent eight times concurrently, to two nodes, gets one token.
func TestAssertionRace(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *store.Store{
		"sqlite": func(t *testing.T) *store.Store {
			return must(sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "jotgate.db"), sqlitetest.Options))(t)
		},
		"postgres": func(t *testing.T) *store.Store {
			return must(postgres.Open(t.Context(), pgtest.Start(t, pgtest.Options{}).Database(t), postgrestest.Options))(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t)
			t.Cleanup(func() { db.Close() })
			w := &site{t: t, Gate: jotgatetest.New(t), db: &counted{Store: db}}
			settings := jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("secret", 10)), Now: w.Clock.Now}
			w.gate, w.server = w.node(settings)
			_, second := w.node(settings)
			c := w.signer("service", jwt.ES256)
			for round := range 5 {
				call := c.assertion(c.key, time.Unix(int64(round), 0).String(), nil)
				codes, group := make([]string, 8), sync.WaitGroup{}
				for i := range codes {
					group.Go(func() {
						server := w.server
						if i%2 == 1 {
							server = second
						}
						_, err := server.Token(t.Context(), call)
						codes[i] = code(t, err)
					})
				}
				group.Wait()
				if all := strings.Join(codes, " "); strings.Count(all, "invalid_client") != 7 {
					t.Errorf("an assertion got several tokens, or none: %q", codes)
				}
			}
		})
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}
