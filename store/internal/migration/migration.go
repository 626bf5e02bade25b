// Package migration brings jotgate's own tables up to date, with the SQL files
// of store/sqlite and store/postgres.
package migration

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Table is the table that records which of jotgate's migrations
// have run. Its columns are those of goose, with which the files can also be
// run by hand, and compatible_from.
const Table = "jotgate_migrations"

// Queryer is the part of a database connection that statements need.
type Queryer interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// Dialect is what migrations need to know about a database.
type Dialect struct {
	// Columns selects the columns of the tables whose names are in the JSON array $1: the
	// table, the name, and three more values.
	Columns string
	// Create creates the table Table, AddColumn the column
	// compatible_from in a table that goose created.
	Create, AddColumn string
	// Execute runs a text of several statements.
	Execute func(ctx context.Context, q Queryer, text string) error
}

// A Set holds the steps that create jotgate's own tables, in the order in
// which they run.
type Set struct {
	list    []migration
	files   fs.FS
	dialect Dialect
}

// migration is a file NNNN_name.sql.
type migration struct {
	version int
	name    string
}

// step is the content of a migration.
type step struct {
	// compatibleFrom is the oldest version of the schema whose binaries can
	// run on a database with this migration.
	compatibleFrom int
	up             string
}

// Read lists the files NNNN_name.sql. Each has the sections
// "-- +goose Up" and "-- +goose Down" and the line "-- compatible-from: N":
// binaries that know the migrations up to N also work after this one, so that
// they can run, start and be rolled back to while others are upgraded. A file is read
// when its migration runs: most starts run none.
func Read(files fs.FS, dialect Dialect) (*Set, error) {
	names, err := fs.Glob(files, "[0-9][0-9][0-9][0-9]_*.sql")
	if err != nil {
		return nil, err
	}
	m := &Set{files: files, dialect: dialect}
	for _, name := range names {
		version, err := strconv.Atoi(path.Base(name)[:4])
		if err != nil {
			return nil, err
		}
		m.list = append(m.list, migration{version, name})
	}
	sort.Slice(m.list, func(i, j int) bool { return m.list[i].version < m.list[j].version })
	return m, nil
}

// read reads the file of a migration.
func (m migration) read(files fs.FS) (s step, err error) {
	text, err := fs.ReadFile(files, m.name)
	if err != nil {
		return s, err
	}
	if s, err = parse(string(text)); err == nil {
		err = s.compatible(m.version)
	}
	return s, err
}

func parse(text string) (s step, err error) {
	head, rest, up := strings.Cut(text, "-- +goose Up\n")
	body, _, down := strings.Cut(rest, "-- +goose Down\n")
	if !up || !down || strings.Contains(head+body, "+goose") {
		err = errors.New("it must have one section +goose Up, one +goose Down, and no other directive")
	}
	s.up = body
	return s, err
}

// compatible reads compatibleFrom. Without the line no older binary is known
// to work.
func (s *step) compatible(version int) (err error) {
	s.compatibleFrom = version
	if line := regexp.MustCompile(`(?m)^-- compatible-from: ([0-9]+)$`).FindStringSubmatch(s.up); line != nil {
		s.compatibleFrom, err = strconv.Atoi(line[1])
	}
	if s.compatibleFrom > version {
		err = fmt.Errorf("compatible-from: %d is above its own version", s.compatibleFrom)
	}
	return err
}

// latest returns the version that this binary knows.
func (m *Set) latest() int {
	if len(m.list) == 0 {
		return 0
	}
	return m.list[len(m.list)-1].version
}

// knows reports whether there is a migration to this version. Version 0 is
// that of an empty table.
func (m *Set) knows(version int) bool {
	return version == 0 || slices.ContainsFunc(m.list, func(step migration) bool { return step.version == version })
}

// State describes a database.
type State struct {
	// Pending reports that there is a migration to run.
	Pending bool
	// Newer says in one sentence that a newer jotgate migrated the database
	// and that this one can run beside it. It is empty if none did.
	Newer   string
	applied map[int]bool
}

// State reads which migrations have run. If a newer version of jotgate has
// run one beside which this version cannot work, State returns an error that
// says so.
func (m *Set) State(ctx context.Context, q Queryer) (s State, err error) {
	s.applied = map[int]bool{}
	exists, stated, err := m.table(ctx, q)
	if err == nil && exists {
		err = m.read(ctx, q, &s, stated)
	}
	s.Pending = slices.ContainsFunc(m.list, func(step migration) bool { return !s.applied[step.version] })
	return s, err
}

// Pending returns a function that reports whether a migration of schema/ is to be run.
func Pending(files fs.FS, dialect Dialect) func(context.Context, Queryer) (bool, error) {
	return func(ctx context.Context, q Queryer) (bool, error) {
		own, err := fs.Sub(files, "schema")
		if err != nil {
			return false, err
		}
		m, err := Read(own, dialect)
		if err != nil {
			return false, err
		}
		state, err := m.State(ctx, q)
		return state.Pending, err
	}
}

func (m *Set) read(ctx context.Context, q Queryer, s *State, stated bool) error {
	text := "SELECT version_id, is_applied, NULL FROM " + Table + " ORDER BY id"
	if stated {
		text = "SELECT version_id, is_applied, compatible_from FROM " + Table + " ORDER BY id"
	}
	rows, err := readRows(ctx, q, text)
	if err != nil {
		return fmt.Errorf("reading the table %s: %w", Table, err)
	}
	for _, r := range rows {
		s.applied[r.version] = r.applied
	}
	return m.checkNewer(s, rows)
}

// checkNewer decides whether this binary can work beside what newer ones did.
func (m *Set) checkNewer(s *State, rows []row) error {
	known, newest, from := m.latest(), 0, 0
	for _, r := range rows {
		if !m.knows(r.version) && s.applied[r.version] {
			newest, from = max(newest, r.version), max(from, r.from)
		}
	}
	newer := fmt.Sprintf("the database was migrated by a newer jotgate (to %d, this one knows %d)", newest, known)
	switch {
	case newest == 0:
	case from > known:
		return fmt.Errorf("%s, and versions that know less than %d cannot run beside it: use that one", newer, from)
	default:
		s.Newer = newer + ", which this one can run beside"
	}
	return nil
}

// row is a row of Table.
type row struct {
	version int
	applied bool
	from    int
}

// readRows reads the table. A migration that does not state with which
// versions it is compatible is compatible with none before it.
func readRows(ctx context.Context, q Queryer, text string) (list []row, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var r row
		var from sql.NullInt64
		err := scan(&r.version, &r.applied, &from)
		if r.from = r.version; from.Valid {
			r.from = int(from.Int64)
		}
		list = append(list, r)
		return err
	}, text)
	return list, err
}

// each calls do for each row of a query.
func each(ctx context.Context, q Queryer, do func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for err == nil && rows.Next() {
		err = do(rows.Scan)
	}
	return errors.Join(err, rows.Err())
}

// table reports whether the table exists, and whether it states which versions
// are compatible.
func (m *Set) table(ctx context.Context, q Queryer) (exists, stated bool, err error) {
	err = each(ctx, q, func(scan func(...any) error) error {
		var name string
		err := scan(new(any), &name, new(any), new(any), new(any))
		exists, stated = true, stated || name == "compatible_from"
		return err
	}, m.dialect.Columns, `["`+Table+`"]`)
	return exists, stated, err
}

// prepare creates the table, or the column that goose's table lacks.
func (m *Set) prepare(ctx context.Context, q Queryer) error {
	exists, stated, err := m.table(ctx, q)
	switch {
	case err != nil || stated:
		return err
	case exists:
		return m.dialect.Execute(ctx, q, m.dialect.AddColumn)
	default:
		return m.dialect.Execute(ctx, q, m.dialect.Create)
	}
}

// Apply runs the pending migrations inside the caller's transaction, which
// must exclude other nodes that migrate.
func (m *Set) Apply(ctx context.Context, q Queryer) error {
	if err := m.prepare(ctx, q); err != nil {
		return fmt.Errorf("preparing the table %s: %w", Table, err)
	}
	state, err := m.State(ctx, q)
	if err != nil {
		return err
	}
	for _, step := range m.list {
		if !state.applied[step.version] {
			err = m.apply(ctx, q, step)
		}
		if err != nil {
			return fmt.Errorf("migrating jotgate's tables (%s): %w", step.name, err)
		}
	}
	return nil
}

func (m *Set) apply(ctx context.Context, q Queryer, file migration) error {
	step, err := file.read(m.files)
	if err != nil {
		return err
	}
	if err := m.dialect.Execute(ctx, q, step.up); err != nil {
		return err
	}
	_, err = q.ExecContext(ctx, "INSERT INTO "+Table+" (version_id, is_applied, compatible_from) VALUES ($1, $2, $3)",
		file.version, true, step.compatibleFrom)
	return err
}

// Allauth lists tables of allauth that are created if they are missing, each
// with the NAME of its files.
var Allauth = []struct{ Table, Name string }{{"account_emailaddress", "allauth"}, {"mfa_authenticator", "allauth_mfa"}, {"socialaccount_socialaccount", "allauth_social"}}

// AllauthTables returns the statements that create tables of allauth: those in
// schema/NAME.sql. users is the table of users, id and typ are the name and
// type of its key; names are quoted. If noted is set, that is, if Django
// records its migrations in the database, those in schema/NAME_migrations.sql
// are added.
func AllauthTables(files fs.FS, name, users, id, typ string, noted bool) (string, error) {
	text, err := fs.ReadFile(files, "schema/"+name+".sql")
	if err != nil || !noted {
		return allauthText(string(text), users, id, typ), err
	}
	rows, err := fs.ReadFile(files, "schema/"+name+"_migrations.sql")
	return allauthText(string(text), users, id, typ) + string(rows), err
}

func allauthText(text, users, id, typ string) string {
	_, text, _ = strings.Cut(text, "\n\n") // the comment also contains the placeholders
	return strings.NewReplacer("{users}", users, "{id}", id, "{type}", typ).Replace(text)
}
