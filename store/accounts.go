package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Finding, listing and creating accounts.

// ByLogin implements record.Accounts.
func (as accounts) ByLogin(ctx context.Context, login string) (*record.Account, error) {
	if !storable(login) {
		return nil, jotgate.ErrNotFound
	}
	list, err := as.db.accounts(ctx, as.db.texts.byLogin, login)
	if err != nil {
		return nil, err
	}
	// The column may compare without regard to case (citext, NOCASE): then the
	// site chose that, and Django finds the account, too.
	for _, a := range list {
		if a.Username == login {
			return a, nil
		}
	}
	if len(list) != 1 {
		return nil, jotgate.ErrNotFound
	}
	return list[0], nil
}

// ByID implements record.Accounts.
func (as accounts) ByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	key, ok := as.db.tables.key.encode(id)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	list, err := as.db.accounts(ctx, as.db.texts.byID, key)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, jotgate.ErrNotFound
	}
	return list[0], nil
}

// ByEmail implements record.Accounts. The database decides which
// characters differ only in case, as in Django: PostgreSQL folds all of
// Unicode, SQLite only ASCII.
func (as accounts) ByEmail(ctx context.Context, email string) ([]*record.Account, error) {
	if as.db.texts.byEmail == "" || email == "" || !storable(email) {
		return nil, nil
	}
	return as.db.accounts(ctx, as.db.texts.byEmail, email)
}

// List implements record.Accounts. after must be empty or a key of
// the table's type; otherwise the error is ErrNotFound.
func (as accounts) List(ctx context.Context, after record.UserID, limit int) ([]*record.Account, error) {
	if limit <= 0 {
		return nil, nil
	}
	if after == "" {
		return as.db.accounts(ctx, as.db.texts.first, limit)
	}
	key, ok := as.db.tables.key.encode(after)
	if !ok {
		return nil, jotgate.ErrNotFound
	}
	return as.db.accounts(ctx, as.db.texts.after, limit, key)
}

// accounts runs one of the statements that select accounts.
func (s *Store) accounts(ctx context.Context, text string, args ...any) (list []*record.Account, err error) {
	return ask(ctx, s, func(ctx context.Context, q Queryer) ([]*record.Account, error) {
		return all(ctx, q, s.tables.scanAccount, text, args...)
	})
}

// scanAccount reads the columns of accountColumns.
func (t *tables) scanAccount(rows rowScanner) (*record.Account, error) {
	a := t.accountRow()
	err := rows.Scan(a.columns()...)
	return a.account(), err
}

// accountRow is a row of accountColumns.
type accountRow struct {
	record.Account
	flags  int64
	group  *int64
	name   *string
	tables *tables
	values []any // of tables.shown
}

func (t *tables) accountRow() *accountRow {
	return &accountRow{tables: t, values: make([]any, len(t.shown))}
}

// columns returns what the columns are scanned into.
func (a *accountRow) columns() []any {
	dest := []any{
		keyScan{&a.ID},
		&a.Username, &a.Email, &a.FirstName, &a.LastName, &a.Password,
		&a.flags,
		moment{&a.DateJoined},
		moment{&a.LastLogin},
		&a.group, &a.name,
	}
	for i, f := range a.tables.shown {
		dest = append(dest, fieldScan{f.Kind, &a.values[i]})
	}
	return dest
}

// account returns the account of a row that was scanned.
func (a *accountRow) account() *record.Account {
	a.IsActive, a.IsStaff, a.IsSuperuser, a.Service = a.flags&1 != 0, a.flags&2 != 0, a.flags&4 != 0, a.flags&8 != 0
	if len(a.tables.shown) > 0 {
		a.Fields = make(map[string]any, len(a.tables.shown))
	}
	for i, f := range a.tables.shown {
		a.Fields[f.Name] = a.values[i]
	}
	if a.group != nil && a.name != nil {
		a.Group = &record.Group{ID: *a.group, Name: *a.name}
	}
	return &a.Account
}

// Create implements record.Accounts. A zero DateJoined is set to now.
// If the table cannot hold a value, the error is a jotgate.Error with status
// 400.
func (as accounts) Create(ctx context.Context, a *record.Account) error {
	var id record.UserID
	joined := as.db.joined(a)
	event := record.AttachedTo(ctx)
	ctx, err := as.db.beforeName(ctx, a.Username, "")
	if err != nil {
		return err
	}
	err = as.db.write(ctx, func(ctx context.Context, q Queryer) (err error) {
		if id, err = as.db.createAccount(ctx, q, a, joined); err != nil {
			return err
		}
		return addAttached(ctx, q, event, id)
	})
	if err == nil {
		a.ID, a.DateJoined = id, joined
	}
	return as.db.rejected(err)
}

// joined returns a.DateJoined, or the current time if it is zero.
func (s *Store) joined(a *record.Account) time.Time {
	return cmp.Or(a.DateJoined, s.driver.Now()).UTC().Truncate(time.Microsecond)
}

// createAccount inserts the account and the rows of its name.
func (s *Store) createAccount(ctx context.Context, q Queryer, a *record.Account, joined time.Time) (id record.UserID, err error) {
	if id, err = s.insertAccount(ctx, q, a, joined); err != nil {
		return "", err
	}
	return id, s.takeName(ctx, q, id, a.Username, s.tables.schema.SimilarNames)
}

func (s *Store) insertAccount(ctx context.Context, q Queryer, a *record.Account, joined time.Time) (id record.UserID, err error) {
	set, err := s.newRow(a, joined)
	if err != nil {
		return "", err
	}
	names, marks := make([]string, len(set)), make([]string, len(set))
	args := make([]any, len(set))
	for i, c := range set {
		names[i], marks[i], args[i] = quote(c.name), fmt.Sprintf("$%d", i+1), c.value
	}
	text := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s) RETURNING %s", quote(s.tables.schema.Users),
		strings.Join(names, ", "), strings.Join(marks, ", "), quote(s.tables.schema.ID))
	if _, err = one(ctx, q, []any{keyScan{&id}}, text, args...); err != nil {
		return "", s.takenUser(err)
	}
	return id, nil
}

// cell is a column and the value to write into it.
type cell struct {
	name  string
	value any
}

// newRow returns the row to insert for a: the columns that the table has, and
// the other columns that must have a value.
func (s *Store) newRow(a *record.Account, joined time.Time) ([]cell, error) {
	t, sch := s.tables, s.tables.schema
	row := []cell{
		{sch.Username, a.Username},
		{"password", a.Password},
		{"first_name", a.FirstName},
		{"last_name", a.LastName},
		{"is_active", a.IsActive},
		{"is_staff", a.IsStaff},
		{"is_superuser", a.IsSuperuser},
		{"date_joined", s.driver.Time(joined)},
		{"last_login", s.nullTime(a.LastLogin)},
	}
	if sch.Email != sch.Username {
		row = append(row, cell{sch.Email, a.Email})
	}
	if t.key.uuid {
		row = append(row, cell{sch.ID, s.driver.UUID(newUUID())})
	}
	row = slices.DeleteFunc(row, func(c cell) bool { _, ok := t.user[c.name]; return !ok })
	for _, c := range row {
		if text, ok := c.value.(string); ok && c.name != sch.ID {
			if err := t.user[c.name].fits(c.name, text); err != nil {
				return nil, err
			}
		}
	}
	return s.complete(row, a, joined)
}

// nullTime returns t as Django stores it, or NULL if t is zero.
func (s *Store) nullTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return s.driver.Time(t)
}

// newUUID returns a random version 4 UUID (RFC 9562 section 5.4), as Django's
// uuid.uuid4 does.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
