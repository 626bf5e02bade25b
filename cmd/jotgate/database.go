package main

// Which database, and where in it the users are.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

type databaseFlags struct {
	Database  string `group:"database" default:"sqlite:jotgate.db" placeholder:"URL" also:"DATABASE_URL" help:"sqlite:FILE or postgres://user:password@host/name."`
	UserTable string `group:"database" default:"auth_user" placeholder:"TABLE" help:"Table of the users; another for a custom user model."`
	IDColumn  string `group:"database" default:"id" placeholder:"COLUMN" help:"Its primary key, an integer or a UUID."`
	loginFlags
	EmailColumn string `group:"database" default:"email" placeholder:"COLUMN" help:"Their e-mail address."`
}

// loginFlags are what the API needs to know of the database.
type loginFlags struct {
	UsernameColumn string `group:"database" default:"username" placeholder:"COLUMN" help:"What users log in with; may be the e-mail's."`
}

// schema is where the users are.
func (f *databaseFlags) schema() store.Schema {
	return store.Schema{Users: f.UserTable, ID: f.IDColumn, Username: f.UsernameColumn, Email: f.EmailColumn}
}

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (f *databaseFlags) loginIsEmail() bool { return f.UsernameColumn == "email" }

// sqliteFile is the file of a SQLite database. Besides sqlite:FILE it
// understands what Django sites write into DATABASE_URL: sqlite:///relative
// and sqlite:////absolute.
func (f *databaseFlags) sqliteFile() (path string, ok bool) {
	path, ok = strings.CutPrefix(f.Database, "sqlite:")
	return strings.TrimPrefix(path, "///"), ok && path != ""
}

// folder is where files that belong to the database stand; empty where it is
// on another machine.
func (f *databaseFlags) folder() string {
	if path, ok := f.sqliteFile(); ok {
		return filepath.Dir(path)
	}
	return ""
}

// opening is what opening may do to a database.
type opening int

const (
	inspecting opening = iota // it is left as it is
	using                     // its tables are brought up to date
	making                    // and the file of a SQLite database is made where there is none
)

// open opens the database. Only for making is a missing file made: to any other
// command it is most likely another one than was meant.
func (f *databaseFlags) open(a *app, how opening) (*store.Store, error) {
	if path, ok := f.sqliteFile(); ok && how != making {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, usage("there is no database %s (see --database; serve, migrate and createsuperuser make one)", path)
		}
	}
	db, err := f.connect(a, how == inspecting)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.shown(), err)
	}
	return db, nil
}

func (f *databaseFlags) connect(a *app, inspect bool) (*store.Store, error) {
	if path, ok := f.sqliteFile(); ok {
		return sqlite.Open(a.ctx, path, sqlite.Options{Schema: f.schema(), Inspect: inspect})
	}
	if f.understood() {
		return postgres.Open(a.ctx, f.Database, postgres.Options{Schema: f.schema(), Inspect: inspect})
	}
	return nil, errDatabase
}

var errDatabase = usage("give the database as sqlite:FILE or postgres://…")

// understood reports whether the address is one of a database we know.
func (f *databaseFlags) understood() bool {
	_, ok := f.sqliteFile()
	return ok || strings.HasPrefix(f.Database, "postgres://") || strings.HasPrefix(f.Database, "postgresql://")
}

// shown is the address without what is in it of passwords.
func (f *databaseFlags) shown() string {
	if path, ok := f.sqliteFile(); ok {
		return path
	}
	_, host, found := strings.Cut(f.Database, "@")
	if !found {
		return "database"
	}
	host, _, _ = strings.Cut(host, "?")
	return "postgres://" + host
}

// with opens the database, which must be there, for as long as do runs.
func (f *databaseFlags) with(a *app, do func(db *store.Store) error) error {
	return f.during(a, using, do)
}

// withNew is with for commands that may be the first ones.
func (f *databaseFlags) withNew(a *app, do func(db *store.Store) error) error {
	return f.during(a, making, do)
}

func (f *databaseFlags) during(a *app, how opening, do func(db *store.Store) error) error {
	db, err := f.open(a, how)
	if err != nil {
		return err
	}
	return errors.Join(do(db), db.Close())
}
