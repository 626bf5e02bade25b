package admin

// Exporting users and events: a stream that takes no more memory for a million rows than
// for one page, and in which no spreadsheet finds a formula.

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// usersExport writes the event of an export, before anything is sent.
func usersExport(c *change) error {
	format, err := c.in.format()
	if err != nil {
		return err
	}
	q, err := exported(c.in)
	if err != nil {
		return err
	}
	c.event.Target = "users"
	c.changes["format"], c.changes["selection"] = [2]any{nil, format}, [2]any{nil, q}
	c.result.users = q
	return nil
}

// exported reads what to export: the ticked users, or all that the filters match.
func exported(in Fields) (adminstore.Query, error) {
	if in.has("selected") && in.text("all") == "" {
		return selection(in)
	}
	return query(in)
}

// eventsExport writes the event of an export of the audit trail, before anything is sent.
func eventsExport(c *change) error {
	format, err := c.in.format()
	if err != nil {
		return err
	}
	q, err := c.eventQuery(c.ctx, c.in)
	if err != nil {
		return err
	}
	filters := map[string]string{}
	for _, name := range eventFilters {
		if text := c.in.text(name); text != "" {
			filters[name] = text
		}
	}
	c.event.Target = "events"
	c.changes["format"], c.changes["selection"] = [2]any{nil, format}, [2]any{nil, filters}
	c.result.events = q
	return nil
}

// format returns the form of the file of an export.
func (f Fields) format() (string, error) {
	format := f.text("format")
	if format != "csv" && format != "jsonl" {
		return "", refuse("format", "Must be csv or jsonl.")
	}
	return format, nil
}

// exports reports whether the result of the action is a file.
func (act *action) exports() bool { return strings.HasSuffix(act.Name, ".export") }

// Export runs the action user.export and writes the users that in selects to w. The
// field format is csv (RFC 4180, UTF-8) or jsonl (a JSON object in each line). Cells
// that a spreadsheet would take for a formula are made harmless. Errors: those of
// Act, before anything is written, and those of w and of the store.
func (a *Admin) Export(ctx context.Context, who Actor, in Fields, w io.Writer) error {
	return a.export(ctx, who, actionNamed("user.export"), in, w)
}

// ExportEvents runs the action event.export and writes the events that in selects to w,
// newest first, as Export writes users. The event of this action is not among them.
func (a *Admin) ExportEvents(ctx context.Context, who Actor, in Fields, w io.Writer) error {
	return a.export(ctx, who, actionNamed("event.export"), in, w)
}

func (a *Admin) export(ctx context.Context, who Actor, act *action, in Fields, w io.Writer) error {
	result, err := a.Act(ctx, who, act.Name, "", in)
	if err != nil {
		return err
	}
	if act.Name == "event.export" {
		q := result.events
		q.Before, q.Limit = result.Event, adminstore.MaxPage
		return newTable(in.text("format"), w, eventColumns, eventRow).writeAll(func() (rows []*record.Event, last bool, err error) {
			page, err := a.store.Events(ctx, q)
			for i := range page.Events {
				rows = append(rows, &page.Events[i])
			}
			q.Before = page.Next
			return rows, page.Next == 0, err
		})
	}
	q := result.users
	q.Limit = adminstore.MaxPage
	return newTable(in.text("format"), w, columns, userRow).writeAll(func() ([]*record.Account, bool, error) {
		page, err := a.store.Users(ctx, q)
		q.After = page.Next
		return page.Users, page.Next == "", err
	})
}

// table writes rows of a file of CSV or JSON lines.
type table[T any] struct {
	columns []string
	row     func(*T) []string
	csv     *csv.Writer // nil: JSON lines
	json    *json.Encoder
}

func newTable[T any](format string, w io.Writer, columns []string, row func(*T) []string) *table[T] {
	t := &table[T]{columns: columns, row: row, json: json.NewEncoder(w)}
	t.json.SetEscapeHTML(false)
	if format == "csv" {
		t.csv = csv.NewWriter(w)
		t.csv.UseCRLF = true // RFC 4180
	}
	return t
}

// writeAll writes the names of the columns and the rows of every page, up to the last. The
// names are sent with the first row, or at the end: if there is an error before, nothing is
// sent.
func (t *table[T]) writeAll(next func() (rows []*T, last bool, err error)) error {
	if t.csv != nil {
		if err := t.csv.Write(t.columns); err != nil {
			return err
		}
	}
	for last := false; !last; {
		var rows []*T
		var err error
		if rows, last, err = next(); err != nil {
			return err
		}
		for _, row := range rows {
			if err := t.write(row); err != nil {
				return err
			}
		}
	}
	return t.flush()
}

// flush sends what is not sent yet.
func (t *table[T]) flush() error {
	if t.csv == nil {
		return nil
	}
	t.csv.Flush()
	return t.csv.Error()
}

func (t *table[T]) write(v *T) error {
	if t.csv == nil {
		return t.json.Encode(v)
	}
	row := t.row(v)
	for i := range row {
		row[i] = safeCell(row[i])
	}
	if err := t.csv.Write(row); err != nil {
		return err
	}
	return t.flush()
}

// columns are the columns of a CSV file of users.
var columns = []string{"id", "username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "date_joined", "last_login"}

func userRow(a *record.Account) []string {
	return []string{
		string(a.ID), a.Username, a.Email, a.FirstName, a.LastName, strconv.FormatBool(a.IsActive), strconv.FormatBool(a.IsStaff),
		strconv.FormatBool(a.IsSuperuser), moment(a.DateJoined), moment(a.LastLogin),
	}
}

// eventColumns are the columns of a CSV file of events: the members of record.Event.
var eventColumns = []string{
	"id", "time", "event", "outcome", "user_id", "sid", "address", "user_agent", "endpoint", "subject", "detail", "actor_id", "target", "changes", "parent_id", "count",
}

func eventRow(e *record.Event) []string {
	parent := ""
	if e.Parent != 0 {
		parent = strconv.FormatInt(e.Parent, 10)
	}
	return []string{
		strconv.FormatInt(e.ID, 10), moment(e.Time), e.Name, e.Outcome, string(e.User), e.Session, e.Address, e.UserAgent, e.Endpoint, e.Subject, e.Detail,
		string(e.Actor), e.Target, e.Changes, parent, strconv.FormatInt(e.Count, 10),
	}
}

func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// safeCell returns a text that no spreadsheet takes for a formula: one that begins
// like a formula, also after white space or a quote, gets an apostrophe before it
// (OWASP: CSV injection). Line breaks and tabs become spaces, since some programs
// split a cell at them in spite of its quotes. In many countries they also split at
// semicolons, so what follows one is treated as a cell, too.
func safeCell(text string) string {
	text = strings.Map(func(r rune) rune {
		switch r {
		case '\t', '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
			return ' '
		}
		return r
	}, text)
	parts := strings.Split(text, ";")
	for i, part := range parts {
		if begin := strings.TrimLeft(part, " \u00a0\u3000\ufeff\"'"); begin != "" && strings.ContainsRune("=+-@＝＋－＠|%", []rune(begin)[0]) {
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, ";")
}
