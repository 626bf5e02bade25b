package admin

// Exporting users: a stream that takes no more memory for a million users than for
// one page, and that no spreadsheet takes for formulas.

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
	format := c.in.text("format")
	if format != "csv" && format != "jsonl" {
		return refuse("format", "Must be csv or jsonl.")
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

// Export runs the action user.export and writes the users that in selects to w. The
// field format is csv (RFC 4180, UTF-8) or jsonl (a JSON object in each line). Cells
// that a spreadsheet would take for a formula are made harmless. Errors: those of
// Act, before anything is written, and those of w and of the store.
func (a *Admin) Export(ctx context.Context, who Actor, in Fields, w io.Writer) error {
	if _, err := a.Act(ctx, who, "user.export", "", in); err != nil {
		return err
	}
	q, err := exported(in)
	if err != nil {
		return err
	}
	var write func(*record.Account) error
	if in.text("format") == "csv" {
		write, err = csvWriter(w)
	} else {
		write = jsonWriter(w)
	}
	for q.Limit = adminstore.MaxPage; err == nil; {
		page, failed := a.store.Users(ctx, q)
		err = failed
		for i := 0; err == nil && i < len(page.Users); i++ {
			err = write(page.Users[i])
		}
		if q.After = page.Next; page.Next == "" {
			break
		}
	}
	return err
}

// columns are the columns of a CSV file.
var columns = []string{"id", "username", "email", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "date_joined", "last_login"}

func csvWriter(w io.Writer) (func(*record.Account) error, error) {
	out := csv.NewWriter(w)
	out.UseCRLF = true // RFC 4180
	err := out.Write(columns)
	return func(a *record.Account) error {
		row := []string{
			string(a.ID), a.Username, a.Email, a.FirstName, a.LastName, strconv.FormatBool(a.IsActive), strconv.FormatBool(a.IsStaff),
			strconv.FormatBool(a.IsSuperuser), moment(a.DateJoined), moment(a.LastLogin),
		}
		for i := range row {
			row[i] = safeCell(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
		out.Flush()
		return out.Error()
	}, err
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

func jsonWriter(w io.Writer) func(*record.Account) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return func(a *record.Account) error { return out.Encode(a) }
}
