package store

import (
	"context"
	"database/sql"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// Observe calls seen with every statement that the store sends from now on, in
// the goroutine that sends it. The store must not be in use meanwhile.
func (s *Store) Observe(seen func(text string, args []any)) {
	read, write := s.driver.Read, s.driver.Write
	s.driver.Read = func(ctx context.Context, do func(context.Context, Queryer) error) error {
		return read(ctx, func(ctx context.Context, q Queryer) error { return do(ctx, observed{q, seen}) })
	}
	s.driver.Write = func(ctx context.Context, do func(context.Context, Queryer) error) error {
		return write(ctx, func(ctx context.Context, q Queryer) error { return do(ctx, observed{q, seen}) })
	}
}

// observed reports statements before it passes them on.
type observed struct {
	Queryer
	seen func(text string, args []any)
}

func (o observed) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	o.seen(text, args)
	return o.Queryer.ExecContext(ctx, text, args...)
}

func (o observed) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	o.seen(text, args)
	return o.Queryer.QueryContext(ctx, text, args...)
}

// PageText returns the statement of a page of package admin.
func PageText(s *Store, q adminstore.Query) (string, []any, error) {
	text, args, _, err := s.pageText(q)
	return text, args, err
}

// RelayText is the statement that takes events for webhooks.
const RelayText = relayText

// Cursor returns the cursor of a page that ended with this user.
func Cursor(id record.UserID) string { return cursor{ID: id, Text: "m"}.String() }
