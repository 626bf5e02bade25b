package store

import (
	"context"

	"github.com/jotgate/jotgate"
)

// Running a statement: for one row, for many rows, or for no rows.

// rowScanner is a row to scan.
type rowScanner interface{ Scan(dest ...any) error }

// one scans the first row into dest and reports whether there was one.
func one(ctx context.Context, q Queryer, dest []any, text string, args ...any) (found bool, err error) {
	rows, err := q.QueryContext(ctx, text, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	if rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return false, err
		}
		found = true
		for rows.Next() { // to the end: only then has a RETURNING statement finished
		}
	}
	return found, rows.Err()
}

// all returns what scan makes of each row.
func all[T any](ctx context.Context, q Queryer, scan func(rowScanner) (T, error), text string, args ...any) (list []T, err error) {
	err = each(ctx, q, text, args, func(rows rowScanner) error {
		v, err := scan(rows)
		if err == nil {
			list = append(list, v)
		}
		return err
	})
	return list, err
}

// each calls do with each row. It is what all instances of all have in common.
func each(ctx context.Context, q Queryer, text string, args []any, do func(rowScanner) error) error {
	rows, err := q.QueryContext(ctx, text, args...)
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

// single returns what scan makes of the only row, or jotgate.ErrNotFound.
func single[T any](ctx context.Context, q Queryer, scan func(rowScanner) (T, error), text string, args ...any) (*T, error) {
	list, err := all(ctx, q, scan, text, args...)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, jotgate.ErrNotFound
	}
	return &list[0], nil
}

// run executes a statement and returns the number of affected rows.
func run(ctx context.Context, q Queryer, text string, args ...any) (int, error) {
	result, err := q.ExecContext(ctx, text, args...)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// value scans a row of one column.
func value[T any](rows rowScanner) (v T, err error) {
	err = rows.Scan(&v)
	return v, err
}

// orNotFound returns err or, if there is none and nothing was found,
// jotgate.ErrNotFound.
func orNotFound(found bool, err error) error {
	if err == nil && !found {
		return jotgate.ErrNotFound
	}
	return err
}
