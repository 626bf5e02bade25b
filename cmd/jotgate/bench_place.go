package main

// The database of a bench: created for it on the disk or server to be
// measured, and removed afterwards.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// benchPlace is an empty store and the function that removes it.
type benchPlace struct {
	db     *store.Store
	name   string // for display
	remove func() error
}

// leave closes the store and removes what was created for it.
func (p *benchPlace) leave() error { return errors.Join(p.db.Close(), p.remove()) }

// place creates the store.
func (c *benchCommand) place(a *app) (*benchPlace, error) {
	f := databaseFlags{Database: c.Database}
	if c.Database == "" {
		return sqlitePlace(a.ctx, os.TempDir())
	}
	if path, ok := f.sqliteFile(); ok {
		return sqlitePlace(a.ctx, filepath.Dir(path))
	}
	if dsn, ok := f.postgresAddress(); ok {
		place, err := postgresPlace(a.ctx, dsn)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.shown(), err)
		}
		place.name = "PostgreSQL, " + f.shown()
		return place, nil
	}
	return nil, errDatabase
}

// benchTimeout limits each operation in a database of bench. It is longer than serve's
// limits, so that a slow machine is measured instead of refused.
const benchTimeout = time.Minute

// sqlitePlace creates a database file in a new folder below parent.
func sqlitePlace(ctx context.Context, parent string) (*benchPlace, error) {
	folder, err := os.MkdirTemp(parent, "jotgate_bench_")
	if err != nil {
		return nil, err
	}
	remove := func() error { return os.RemoveAll(folder) }
	db, err := sqlite.Open(ctx, filepath.Join(folder, "bench.db"), sqlite.Options{BusyTimeout: benchTimeout})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	return &benchPlace{db, "SQLite in " + parent, remove}, nil
}

// postgresPlace creates a schema and limits its connections to that schema.
func postgresPlace(ctx context.Context, address string) (*benchPlace, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, usage("the database address cannot be read") // err would contain the password
	}
	schema := "jotgate_bench_" + strings.ToLower(rand.Text())
	if err := postgresExec(ctx, address, "CREATE SCHEMA "+schema); err != nil {
		return nil, err
	}
	remove := func() error {
		return postgresExec(context.WithoutCancel(ctx), address, "DROP SCHEMA "+schema+" CASCADE")
	}
	query := parsed.Query()
	query.Set("search_path", schema)
	parsed.RawQuery = query.Encode()
	db, err := postgres.Open(ctx, parsed.String(), postgres.Options{ConnectTimeout: benchTimeout, StatementTimeout: benchTimeout, LockTimeout: benchTimeout})
	if err != nil {
		return nil, errors.Join(err, remove())
	}
	return &benchPlace{db: db, remove: remove}, nil
}

// postgresExec runs one statement on a new connection.
func postgresExec(ctx context.Context, address, statement string) error {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
