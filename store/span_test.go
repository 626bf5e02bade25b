package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/trace"
)

func TestSummary(t *testing.T) {
	for text, want := range map[string]string{
		"SELECT a FROM auth_user WHERE b = (SELECT 1 FROM c)":                        "SELECT auth_user",
		"SELECT COUNT(*) FROM\n(SELECT 1 FROM jotgate_failure WHERE x > $1) AS f":    "SELECT jotgate_failure",
		`INSERT INTO "auth_user" (a) VALUES ($1) RETURNING id`:                       "INSERT auth_user",
		"INSERT INTO jotgate_network (a) VALUES (1) ON CONFLICT DO UPDATE SET a = 1": "INSERT jotgate_network",
		"UPDATE jotgate_session SET ended = $1":                                      "UPDATE jotgate_session",
		"delete from jotgate_outbox":                                                 "DELETE jotgate_outbox", "SELECT 1": "SELECT ", "SELECT pg_notify('jotgate', '')": "SELECT ",
		"SELECT 1 FROM": "SELECT ", "": " ", "INSERT INTO t(a) VALUES (1)": "INSERT t",
	} {
		operation, table := summary(text)
		if got := operation + " " + table; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// recorder is a Tracer that writes down what it is asked for.
type recorder struct{ lines []string }

func (r *recorder) Start(ctx context.Context, _ trace.Kind, name string, _ ...slog.Attr) (context.Context, trace.Span) {
	return ctx, &recorded{nil, r, name}
}

type recorded struct {
	trace.Span
	r    *recorder
	name string
}

func (s *recorded) End(errorType string) { s.r.lines = append(s.r.lines, s.name+":"+errorType) }

// failing is a Queryer of which every statement fails.
type failing struct{ err error }

func (f failing) QueryContext(context.Context, string, ...any) (*sql.Rows, error) { return nil, f.err }

func (f failing) ExecContext(context.Context, string, ...any) (sql.Result, error) { return nil, f.err }

// The span of a failed statement has the kind of its error and not the text, which may
// have values of rows in it.
func TestSpanOfAnError(t *testing.T) {
	r := &recorder{}
	ctx := trace.WithTracer(t.Context(), r)
	s := &Store{driver: Driver{Name: "postgres"}}
	for _, err := range []error{errors.New("alice@example.com exists"), fmt.Errorf("x: %w", jotgate.ErrCodeNotValid)} {
		_ = s.traced(ctx, func(ctx context.Context, q Queryer) error {
			_, _ = q.QueryContext(ctx, "SELECT 1 FROM a")
			_, err := q.ExecContext(ctx, "DELETE FROM b")
			return err
		})(ctx, failing{err})
	}
	want := []string{"SELECT a:database", "DELETE b:database", "SELECT a:code_not_valid", "DELETE b:code_not_valid"}
	if !slices.Equal(r.lines, want) {
		t.Errorf("%q", r.lines)
	}
}
