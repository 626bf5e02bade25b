package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// What a restore must not revive: everything in a backup that was revoked after it
// was made. Which sessions that were is not known, so all are ended. Which accounts
// were deactivated and which keys were retired or deleted is read from the database
// that is replaced, if it can be read.

// withdrawn is what a database has withdrawn.
type withdrawn struct {
	known    bool              // the database could be read
	inactive []any             // keys of accounts
	keys     map[string]string // the states of all signing keys, by id
	programs programs
}

// readWithdrawn reads it from the database at path. One that does not exist or cannot
// be read has withdrawn nothing that is known.
func readWithdrawn(ctx context.Context, path, backup string, schema store.Schema) (w withdrawn) {
	db, err := openFile(path, "mode=ro")
	if err != nil {
		return w
	}
	defer db.Close()
	w.known = errors.Join(w.readKeys(ctx, db), w.readInactive(ctx, db, schema), w.programs.read(ctx, db, backup, schema)) == nil
	return w
}

func (w *withdrawn) readKeys(ctx context.Context, db *sql.DB) error {
	w.keys = map[string]string{}
	return each(ctx, db, "SELECT id, state FROM jotgate_key", func(rows *sql.Rows) error {
		var id, state string
		err := rows.Scan(&id, &state)
		w.keys[id] = state
		return err
	})
}

// readInactive reads the accounts that are not active. A table without the column has
// none.
func (w *withdrawn) readInactive(ctx context.Context, db *sql.DB, schema store.Schema) error {
	columns := 0
	const find = "SELECT count(*) FROM pragma_table_info($1) WHERE name = 'is_active' COLLATE NOCASE"
	if err := db.QueryRowContext(ctx, find, schema.Users).Scan(&columns); err != nil || columns == 0 {
		return err
	}
	return each(ctx, db, "SELECT "+quote(schema.ID)+" FROM "+quote(schema.Users)+" WHERE NOT is_active", func(rows *sql.Rows) error {
		var key any
		err := rows.Scan(&key)
		w.inactive = append(w.inactive, key)
		return err
	})
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// each calls do for each row.
func each(ctx context.Context, q querier, text string, do func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// repeat withdraws the same in the copy.
func (w *withdrawn) repeat(ctx context.Context, file string, schema store.Schema) error {
	if !w.known {
		return nil
	}
	db, err := openFile(file, "_pragma=journal_mode(DELETE)&_pragma=synchronous(FULL)")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err == nil {
		err = w.repeatIn(ctx, tx, schema)
	}
	return errors.Join(err, db.Close())
}

func (w *withdrawn) repeatIn(ctx context.Context, tx *sql.Tx, schema store.Schema) error {
	defer func() { _ = tx.Rollback() }() // after a commit it has no effect
	if err := w.deactivate(ctx, tx, schema); err != nil {
		return err
	}
	if err := w.repeatKeys(ctx, tx); err != nil {
		return err
	}
	if err := w.programs.repeat(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (w *withdrawn) deactivate(ctx context.Context, tx *sql.Tx, schema store.Schema) error {
	text := "UPDATE " + quote(schema.Users) + " SET is_active = FALSE WHERE " + quote(schema.ID) + " = $1"
	for _, key := range w.inactive {
		if _, err := tx.ExecContext(ctx, text, key); err != nil {
			return err
		}
	}
	return nil
}

// repeatKeys deletes the keys that were deleted, and retires those that were retired.
func (w *withdrawn) repeatKeys(ctx context.Context, tx *sql.Tx) error {
	ids, err := keysIn(ctx, tx)
	for _, id := range ids {
		if err == nil {
			err = w.repeatKey(ctx, tx, id)
		}
	}
	return err
}

// keysIn returns the ids of all signing keys.
func keysIn(ctx context.Context, q querier) (ids []string, err error) {
	err = each(ctx, q, "SELECT id FROM jotgate_key", func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

func (w *withdrawn) repeatKey(ctx context.Context, tx *sql.Tx, id string) (err error) {
	switch state, exists := w.keys[id]; {
	case !exists:
		_, err = tx.ExecContext(ctx, "DELETE FROM jotgate_key WHERE id = $1", id)
	case state == string(record.KeyRetired):
		_, err = tx.ExecContext(ctx, "UPDATE jotgate_key SET state = $1, retired = COALESCE(retired, "+clock+") WHERE id = $2", state, id)
	}
	return err
}

// endAll ends every session in the copy, and revokes every token that was issued to
// one of its users. It also migrates the copy.
func endAll(ctx context.Context, file string, schema store.Schema) error {
	options := Options{Schema: schema, Logger: slog.New(slog.DiscardHandler)}
	options.setDefaults()
	s, err := Open(ctx, file, options)
	if err != nil {
		return err
	}
	return errors.Join(endEach(ctx, s, options.Now()), s.Close(), noLog(file))
}

// endEach ends the sessions as of the second after now: iat counts whole seconds, so a
// token that has the current one may have been issued before the restore.
func endEach(ctx context.Context, s *store.Store, now time.Time) error {
	now = now.Truncate(time.Second).Add(time.Second)
	for after := record.UserID(""); ; {
		page, err := s.Accounts().List(ctx, after, 500)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, a := range page {
			if _, err := s.Sessions().End(ctx, record.Ending{User: a.ID, Reason: record.EndedByRestore, Now: now}); err != nil {
				return err
			}
		}
		after = page[len(page)-1].ID
	}
}

// noLog returns an error if the file has a log, without which it would not be whole.
func noLog(file string) error {
	if _, err := openFile(file+"-wal", ""); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s-wal is left after the copy was closed", file)
	}
	return nil
}
