//go:build linux

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
)

// A server whose processes hang: reads, writes and the readiness end with an
// error that passes, and everything works again when they continue, without a
// restart; what was waiting meanwhile does no harm. The same through a pooler.
func TestHangingServer(t *testing.T) {
	t.Parallel()
	for name, through := range map[string]func(t *testing.T, dsn string) string{
		"direct":    func(_ *testing.T, dsn string) string { return dsn },
		"PgBouncer": func(t *testing.T, dsn string) string { return pgtest.Bounce(t, dsn, "transaction", 4).DSN(dsn) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := pgtest.Start(t, pgtest.Options{})
			dsn := c.Database(t)
			account := &record.Account{Username: "ada", Password: "p", IsActive: true}
			if err := postgrestest.OpenAt(t, dsn).Accounts().Create(t.Context(), account); err != nil {
				t.Fatal(err)
			}
			s := postgrestest.OpenAsProgram(t, through(t, dsn))
			wait.Until(t, "reads", func() bool { _, ok := read(t, s); return ok })
			thaw := c.Freeze(t)
			failures := make(chan error)
			for what, do := range map[string]func() error{
				"read": func() error { _, err := s.Accounts().ByLogin(t.Context(), "ada"); return err },
				"write": func() error {
					return s.Accounts().Change(t.Context(), account.ID, record.Change{FirstName: new("Ada")})
				},
				"ready": func() error { return s.Ready(t.Context()) },
			} {
				go func() {
					err := do()
					if err != nil && jotgate.AsError(err).Status == 503 {
						failures <- nil
						return
					}
					failures <- fmt.Errorf("%s: %v", what, err)
				}()
			}
			var errs []error
			for range 3 {
				errs = append(errs, wait.For(t, "the end of an operation", failures))
			}
			if err := errors.Join(errs...); err != nil {
				t.Error(err)
			}
			thaw()
			wait.Until(t, "readiness", func() bool { return s.Ready(t.Context()) == nil })
			wait.Until(t, "writes", func() bool {
				return s.Accounts().Change(t.Context(), account.ID, record.Change{LastName: new("Lovelace")}) == nil
			})
			wait.Until(t, "reads", func() (ok bool) { account, ok = read(t, s); return ok })
			if account.LastName != "Lovelace" {
				t.Errorf("%+v", account)
			}
		})
	}
}

// read reads the account ada, and reports whether it can be read.
func read(t *testing.T, s *store.Store) (*record.Account, bool) {
	a, err := s.Accounts().ByLogin(t.Context(), "ada")
	return a, err == nil
}

// A standby that hangs, listed before the primary: neither the connections that
// are open nor a new node need it.
func TestHangingStandby(t *testing.T) {
	t.Parallel()
	primary, standby, dsn, ada := replicated(t)
	both := pgtest.At(dsn, standby.Address(), primary.Address())
	s := postgrestest.OpenAt(t, both)
	wait.Until(t, "the open connections do", func() bool {
		thaw := standby.Freeze(t)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := errors.Join(rename(ctx, s, ada), s.Ready(ctx))
		if err != nil { // a connection that responds too late is replaced, which needs the standby
			t.Log(err)
			thaw()
			if err := rename(t.Context(), s, ada); err != nil {
				t.Fatal(err)
			}
		}
		return err == nil
	})
	wait.Until(t, "a new node", func() bool {
		other, err := postgres.Open(t.Context(), both, postgres.Options{})
		if err != nil {
			t.Log(err)
			return false
		}
		defer other.Close()
		return rename(t.Context(), other, ada) == nil
	})
}
