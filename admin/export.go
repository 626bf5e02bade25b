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
		q.Before = result.Event
		return a.writeEvents(ctx, q, newTable(in.text("format"), w, eventColumns, eventRow))
	}
	q, err := exported(in)
	if err != nil {
		return err
	}
	return a.writeUsers(ctx, q, newTable(in.text("format"), w, columns, userRow))
}

func (a *Admin) writeUsers(ctx context.Context, q adminstore.Query, t *table[record.Account]) error {
	err := t.begin()
	for q.Limit = adminstore.MaxPage; err == nil; {
		page, failed := a.store.Users(ctx, q)
		err = failed
		for i := 0; err == nil && i < len(page.Users); i++ {
			err = t.write(page.Users[i])
		}
		if q.After = page.Next; page.Next == "" {
			break
		}
	}
	if err != nil {
		return err
	}
	return t.end()
}

func (a *Admin) writeEvents(ctx context.Context, q adminstore.EventQuery, t *table[record.Event]) error {
	err := t.begin()
	for q.Limit = adminstore.MaxPage; err == nil; {
		page, failed := a.store.Events(ctx, q)
		err = failed
		for i := 0; err == nil && i < len(page.Events); i++ {
			err = t.write(&page.Events[i])
		}
		if q.Before = page.Next; page.Next == 0 {
			break
		}
	}
	if err != nil {
		return err
	}
	return t.end()
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

// begin writes the names of the columns. They are sent with the first row, or by end: if
// there is an error before, nothing is sent.
func (t *table[T]) begin() error {
	if t.csv == nil {
		return nil
	}
	return t.csv.Write(t.columns)
}

// end sends what is not sent yet.
func (t *table[T]) end() error {
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
	return t.end()
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
