package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Moving all data to another database. Both databases are open and up to
// date, and one transaction in the target stores either everything or
// nothing. The source accepts no writes during that time, so the copy is
// consistent.

// Moved is the result of Store.MoveTo for one table.
type Moved struct {
	Table  string
	Rows   int64
	Digest string // of all rows, in hexadecimal digits; equal in both databases
}

// moveTables lists the tables to move in an order in which every reference
// points to a row that already exists. The user table and its links are
// inserted in place of "".
var moveTables = []string{
	"django_content_type", "auth_permission", "auth_group", "auth_group_permissions", "",
	"account_emailaddress", "account_emailconfirmation", "mfa_authenticator",
	"socialaccount_socialaccount", "socialaccount_socialapp", "socialaccount_socialapp_sites", "socialaccount_socialtoken",
	"token_blacklist_outstandingtoken", "token_blacklist_blacklistedtoken",
	"jotgate_session", "jotgate_not_before", "jotgate_password", "jotgate_revocation", "jotgate_key", "jotgate_event", "jotgate_failure", "jotgate_network", "jotgate_outbox",
	"jotgate_pending", "jotgate_deletion", "jotgate_api_key", "jotgate_client", "jotgate_webhook", "jotgate_webhook_delivery", "jotgate_spent", "jotgate_grace", "jotgate_factor_reset", "jotgate_setting", "jotgate_login_code", "jotgate_rate", "jotgate_invitation",
	"jotgate_name", "jotgate_progress",
	"jotgate_job",
}

// presets are the tables that are filled when they are created. A target with
// rows in these tables only counts as empty, and the rows are replaced.
var presets = []string{"auth_permission", "django_content_type", "jotgate_setting", "jotgate_progress"}

// MoveTo copies all rows of jotgate's and Django's tables to target, with the same ids
// and hashes, and reads each row back before it commits. target must be empty. If it
// already has the same rows, there is true and nothing is written. The next ids in target
// are greater than any that the source has assigned. Until MoveTo returns, the source
// accepts no writes. progress, if not nil, is called after about every hundred rows.
//
// If MoveTo returns an error, target is unchanged. The rows of
// django_migrations and the tables of other applications are not copied.
func (s *Store) MoveTo(ctx context.Context, target *Store, progress func(table string, rows, of int64)) (list []Moved, there bool, err error) {
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	err = s.driver.Write(ctx, func(_ context.Context, from Queryer) error {
		plan, err := s.planMove(ctx, from, target)
		if err != nil {
			return err
		}
		if err := s.lockTables(ctx, from, plan); err != nil {
			return err
		}
		return target.driver.Write(ctx, func(_ context.Context, to Queryer) (err error) {
			m := &move{from: from, to: to, source: s, target: target, progress: progress}
			list, there, err = m.run(ctx, plan)
			return err
		})
	})
	return list, there, err
}

// moveTable is a table to move.
type moveTable struct {
	name    string
	columns []column
	kinds   []kind
	number  string // the column that the database numbers, or ""
}

// planMove compares the tables of both databases.
func (s *Store) planMove(ctx context.Context, q Queryer, target *Store) (plan []moveTable, err error) {
	users := []string{s.tables.schema.Users, s.tables.schema.UserGroups, s.tables.schema.UserPermissions}
	at := slices.Index(moveTables, "")
	names := slices.Concat(moveTables[:at], users, moveTables[at+1:])
	here, err := s.driver.columnsOf(ctx, q, names...)
	if err != nil {
		return nil, s.driver.Explain(err)
	}
	other, err := target.driver.columns(ctx, names...)
	if err != nil {
		return nil, target.driver.Explain(err)
	}
	for _, name := range names {
		t, err := s.pair(ctx, q, target, name, here[name], other[name])
		if err != nil {
			return nil, err
		}
		if t != nil {
			plan = append(plan, *t)
		}
	}
	return plan, nil
}

// pair returns the plan for one table, or nil if there is nothing to move.
func (s *Store) pair(ctx context.Context, q Queryer, target *Store, name string, here, other []column) (*moveTable, error) {
	if len(here) == 0 {
		return nil, nil
	}
	if len(other) == 0 {
		if n, err := countRows(ctx, q, name); err != nil || n == 0 {
			return nil, err
		}
		return nil, fmt.Errorf("the target has no table %s: run manage.py migrate on it first", name)
	}
	// By name: the two databases may list the columns in different orders.
	here = slices.Clone(here)
	sort.Slice(here, func(i, j int) bool { return here[i].name < here[j].name })
	// A transaction number has no meaning in another database: the target
	// assigns its own.
	here = slices.DeleteFunc(here, func(c column) bool { return c.name == "txid" && strings.HasPrefix(name, "jotgate_") })
	t := &moveTable{name: name, columns: here}
	for _, c := range here {
		i := slices.IndexFunc(other, func(o column) bool { return o.name == c.name })
		if i < 0 {
			return nil, fmt.Errorf("the target's table %s has no column %s: both must be of one version of Django", name, c.name)
		}
		k, there := kindOf(c.typ), kindOf(other[i].typ)
		if k == document && there == text || k == text && there == document {
			k, there = document, document
		}
		if k == unknown || k != there {
			return nil, fmt.Errorf("the column %s.%s is %s here and %s there: jotgate does not know how to move it", name, c.name, c.typ, other[i].typ)
		}
		t.kinds = append(t.kinds, k)
		if k == integer && (c.name == "id" || c.name == "seq" || name == s.tables.schema.Users && c.name == s.tables.schema.ID) {
			t.number = c.name
		}
	}
	for _, o := range other {
		if o.required && !slices.ContainsFunc(here, func(c column) bool { return c.name == o.name }) {
			return nil, fmt.Errorf("the target's table %s needs a column %s, which is not here", name, o.name)
		}
	}
	return t, nil
}

// lockTables prevents writes to the source by others. In SQLite the single
// writer already does.
func (s *Store) lockTables(ctx context.Context, q Queryer, plan []moveTable) error {
	if !s.driver.Locks {
		return nil
	}
	names := make([]string, len(plan))
	for i, t := range plan {
		names[i] = quote(t.name)
	}
	if err := liftTimeouts(ctx, q); err != nil {
		return err
	}
	_, err := q.ExecContext(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN SHARE MODE")
	return s.driver.unavailable(err)
}

// liftTimeouts removes PostgreSQL's time limits for this transaction.
func liftTimeouts(ctx context.Context, q Queryer) error {
	_, err := q.ExecContext(ctx, "SET LOCAL statement_timeout = 0")
	_, idle := q.ExecContext(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0")
	return errors.Join(err, idle)
}

func countRows(ctx context.Context, q Queryer, table string) (n int64, err error) {
	_, err = one(ctx, q, []any{&n}, "SELECT COUNT(*) FROM "+quote(table))
	return n, err
}

// move is the state of a move: a transaction in each database.
type move struct {
	from, to       Queryer
	source, target *Store
	progress       func(table string, rows, of int64)
}

// run copies the tables, or compares them if the target is not empty.
func (m *move) run(ctx context.Context, plan []moveTable) (list []Moved, there bool, err error) {
	if m.target.driver.Locks {
		if err := liftTimeouts(ctx, m.to); err != nil {
			return nil, false, err
		}
	}
	full, err := m.full(ctx, plan)
	if err != nil {
		return nil, false, m.target.driver.unavailable(err)
	}
	if full == "" {
		if err := m.clear(ctx, plan); err != nil {
			return nil, false, err
		}
	}
	for i := range plan {
		moved, err := m.table(ctx, &plan[i], full != "")
		if err != nil && full != "" {
			return nil, false, fmt.Errorf("the target is not empty (%s), and not what was moved before: %w", full, err)
		}
		if err != nil {
			return nil, false, err
		}
		list = append(list, moved)
	}
	return list, full != "", nil
}

// full describes the first table of the target that holds rows, other than
// the presets.
func (m *move) full(ctx context.Context, plan []moveTable) (string, error) {
	for _, t := range plan {
		if slices.Contains(presets, t.name) {
			continue
		}
		n, err := countRows(ctx, m.to, t.name)
		if err != nil {
			return "", err
		}
		if n > 0 {
			return fmt.Sprintf("%d rows in %s", n, t.name), nil
		}
	}
	return "", nil
}

// clear deletes the presets.
func (m *move) clear(ctx context.Context, plan []moveTable) error {
	for _, name := range presets {
		if !slices.ContainsFunc(plan, func(t moveTable) bool { return t.name == name }) {
			continue
		}
		if _, err := m.to.ExecContext(ctx, "DELETE FROM "+quote(name)); err != nil {
			return fmt.Errorf("emptying the target's %s: %w", name, m.target.driver.Explain(err))
		}
	}
	return nil
}

// table copies one table, unless there is set, and compares both sides.
func (m *move) table(ctx context.Context, t *moveTable, there bool) (Moved, error) {
	total, err := countRows(ctx, m.from, t.name)
	if err != nil {
		return Moved{}, m.source.driver.unavailable(err)
	}
	here, err := m.copy(ctx, t, total, there)
	if err != nil {
		return Moved{}, fmt.Errorf("%s: %w", t.name, err)
	}
	back, err := read(ctx, m.target, m.to, t, func([]any) error { return nil })
	if err != nil {
		return Moved{}, fmt.Errorf("%s, reading it back: %w", t.name, err)
	}
	if here != back {
		return Moved{}, fmt.Errorf("%s: %d rows here, %d there, or they are not the same (digests %.8s and %.8s)", t.name, here.rows, back.rows, here.hex(), back.hex())
	}
	if err := m.number(ctx, t); err != nil {
		return Moved{}, fmt.Errorf("%s, the next id: %w", t.name, err)
	}
	return Moved{t.name, here.rows, here.hex()}, nil
}
