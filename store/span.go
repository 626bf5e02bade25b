package store

// The spans of statements (package trace).

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/trace"
)

// traced returns do with a Queryer whose statements are spans, if the context has a
// tracer.
func (s *Store) traced(ctx context.Context, do func(context.Context, Queryer) error) func(context.Context, Queryer) error {
	if trace.TracerOf(ctx) == nil {
		return do
	}
	system := s.driver.Name
	if system == "postgres" {
		system = "postgresql"
	}
	return func(inner context.Context, q Queryer) error { return do(inner, tracedQueryer{q, ctx, system}) }
}

// tracedQueryer is a Queryer whose statements are spans. That of a query ends when
// the first row is there.
type tracedQueryer struct {
	next Queryer
	// operation is the context of the operation. That of a statement may be another
	// one: SQLite's writer commits several transactions together.
	operation context.Context
	system    string // db.system.name
}

// QueryContext implements Queryer.
func (t tracedQueryer) QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	span := t.start(text)
	rows, err := t.next.QueryContext(ctx, text, args...)
	span.End(errorType(err))
	return rows, err
}

// ExecContext implements Queryer.
func (t tracedQueryer) ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error) {
	span := t.start(text)
	result, err := t.next.ExecContext(ctx, text, args...)
	span.End(errorType(err))
	return result, err
}

// start begins the span of a statement. The text is not recorded, only what it does
// with which table.
func (t tracedQueryer) start(text string) trace.Span {
	operation, table := summary(text)
	name, attributes := operation, []slog.Attr{slog.String("db.system.name", t.system), slog.String("db.operation.name", operation)}
	if table != "" {
		name += " " + table
		attributes = append(attributes, slog.String("db.collection.name", table))
	}
	_, span := trace.Start(t.operation, trace.Client, name, attributes...)
	return span
}

// summary returns the operation of a statement and the table that it is about: the
// first one that it names. That is empty if there is none.
func summary(text string) (operation, table string) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return "", ""
	}
	operation = strings.ToUpper(words[0])
	for i, word := range words[:len(words)-1] {
		switch strings.ToUpper(word) {
		case "FROM", "INTO", "UPDATE":
			name, _, _ := strings.Cut(words[i+1], "(") // empty: a subquery
			name = strings.Trim(name, `"),;`)
			if name != "" && !strings.EqualFold(name, "SET") {
				return operation, name
			}
		}
	}
	return operation, ""
}

// errorType returns what a span calls an error: a code of jotgate's, or "database".
func errorType(err error) string {
	if err == nil {
		return ""
	}
	if e := jotgate.AsError(err); e.Code != "" {
		return e.Code
	}
	return "database"
}
