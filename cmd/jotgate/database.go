package main

// Which database to use, and which of its tables hold the users.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

type databaseFlags struct {
	Database  string `group:"database" default:"sqlite:jotgate.db" placeholder:"URL" also:"DATABASE_URL" secret:"url" help:"sqlite:FILE or postgres://user:password@host/name."`
	UserTable string `group:"database" default:"auth_user" placeholder:"TABLE" help:"Table of the users; another for a custom user model."`
	IDColumn  string `group:"database" default:"id" placeholder:"COLUMN" help:"Its primary key, an integer or a UUID."`
	loginFlags
	EmailColumn     string            `group:"database" default:"email" placeholder:"COLUMN" help:"Their e-mail address."`
	UserFields      []string          `group:"database" placeholder:"COLUMN" help:"Further columns that users set when they sign up, and see and change at /auth/users/me/, such as first_name,last_name:required,role:read-only. Default: none."`
	NewUser         map[string]string `group:"database" mapsep:";" placeholder:"COLUMN=VALUE" help:"What new accounts get in columns that jotgate does not know: uuid4, now, today, email, username, null or a constant, such as role=user;uuid=uuid4. Default: none; sign-up is closed if such a column needs a value."`
	SimilarNames    bool              `group:"database" help:"Allow new usernames that differ from another only in case or in characters that look alike."`
	DatabaseTimeout time.Duration     `group:"database" default:"5s" placeholder:"TIME" help:"Maximum duration of an operation of the database; then the response is 503. From 5s to 10m."`
	StartupTimeout  time.Duration     `group:"database" default:"1m" placeholder:"TIME" help:"How long to wait for another node that migrates the database, and serve also for a PostgreSQL that cannot be reached."`
}

// loginFlags are what the API needs to know about the database.
type loginFlags struct {
	UsernameColumn string `group:"database" default:"username" placeholder:"COLUMN" help:"What users log in with; may be the e-mail's."`
}

// Validate checks what no type does, before a command runs.
func (f *databaseFlags) Validate() error {
	if f.DatabaseTimeout < store.Timeout || f.DatabaseTimeout > 10*time.Minute {
		return usage("--database-timeout is %v, it must be 5s to 10m", f.DatabaseTimeout)
	}
	return nil
}

// schema names the tables and columns of the users.
func (f *databaseFlags) schema() store.Schema {
	return store.Schema{
		Users: f.UserTable, ID: f.IDColumn, Username: f.UsernameColumn, Email: f.EmailColumn,
		Fields: f.fields(), NewUser: f.NewUser, SimilarNames: f.SimilarNames,
	}
}

// fields reads --user-fields.
func (f *databaseFlags) fields() (list []store.Field) {
	for _, text := range f.UserFields {
		list = append(list, userField(text))
	}
	return list
}

// userField reads one of --user-fields. An unknown word after a colon stays
// part of the name, which no column has.
func userField(text string) store.Field {
	if name, ok := strings.CutSuffix(text, ":required"); ok {
		return store.Field{Name: name, Required: true}
	}
	name, readOnly := strings.CutSuffix(text, ":read-only")
	return store.Field{Name: name, ReadOnly: readOnly}
}

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (f *databaseFlags) loginIsEmail() bool { return f.UsernameColumn == "email" }

// folder is the folder of files that belong to the database. It is empty if
// the database may be on another machine.
func (f *databaseFlags) folder() string {
	if path, ok := f.sqliteFile(); ok {
		return filepath.Dir(path)
	}
	return ""
}

// opening says what may be changed when a database is opened.
type opening int

const (
	inspecting opening = iota // nothing is changed
	using                     // its tables are migrated
	making                    // and a SQLite file is created if it does not exist
)

// open opens the database. Only with making does it create a missing file:
// for any other command the name is probably wrong.
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

// inspectTimeout is the shortest limit for an operation of a command that only reads, such
// as doctor. It is longer than serve's, because nobody waits for the response to a request,
// and counting the users of a large or slow database may take long.
const inspectTimeout = time.Minute

func (f *databaseFlags) connect(a *app, inspect bool) (*store.Store, error) {
	limit := f.DatabaseTimeout
	if inspect {
		limit = max(limit, inspectTimeout)
	}
	if path, ok := f.sqliteFile(); ok {
		return sqlite.Open(a.ctx, path, sqlite.Options{Schema: f.schema(), Inspect: inspect, BusyTimeout: limit, Logger: a.logger(), Metrics: a.metrics})
	}
	if dsn, ok := f.postgresAddress(); ok {
		return postgres.Open(a.ctx, dsn, postgres.Options{
			Schema: f.schema(), Inspect: inspect, StatementTimeout: limit,
			LockTimeout: part(limit), ConnectTimeout: part(f.DatabaseTimeout),
			MigrationTimeout: f.StartupTimeout, Logger: a.logger(), Progress: a.progress, Metrics: a.metrics,
		})
	}
	return nil, errDatabase
}

// part is how much of the time of an operation may pass before it has a connection, or a
// lock: 3 of 5 seconds.
func part(limit time.Duration) time.Duration { return limit * 3 / 5 }

var errDatabase = usage("give the database as sqlite:FILE or postgres://…")

// isSupported reports whether the address is that of a supported database.
func (f *databaseFlags) isSupported() bool {
	_, file := f.sqliteFile()
	_, server := f.postgresAddress()
	return file || server
}

// with opens the database, which must exist, and closes it after do.
func (f *databaseFlags) with(a *app, do func(db *store.Store) error) error {
	return f.during(a, using, do)
}

// withNew is with for commands that may create the database.
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

// accountPage is the number of accounts that eachAccount reads at a time.
const accountPage = 500

// eachAccount calls do for every account, in order of key, and holds at most one
// page of them. It stops at the first error of do and returns it.
func eachAccount(ctx context.Context, db *store.Store, do func(*record.Account) error) error {
	for after := record.UserID(""); ; {
		page, err := db.Accounts().List(ctx, after, accountPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, account := range page {
			if err := do(account); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}
