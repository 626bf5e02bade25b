package main

// Lists: a table for people, JSON for programs.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jotgate/jotgate/record"
)

// listFlags are the flags of every command that lists something.
type listFlags struct {
	JSON bool `name:"json" help:"Print JSON, for programs."`
}

// show prints the value as JSON for programs, or the rows as a table for
// people.
func (f *listFlags) show(a *app, value any, none, headings string, rows [][]string) error {
	if f.JSON {
		return a.json(value)
	}
	return a.table(none, headings, rows)
}

// pageFlags are the flags of every list that may be long.
type pageFlags struct {
	After string `placeholder:"ID" help:"Start after the user with this id. Default: at the first."`
	Limit int    `default:"100" placeholder:"N" help:"Maximum number of users, up to 1000."`
}

func (f *pageFlags) check() error {
	if f.Limit < 1 || f.Limit > 1000 {
		return usage("--limit is %d, it must be 1 to 1000", f.Limit)
	}
	return nil
}

// more prints how to continue if the page is full.
func (f *pageFlags) more(a *app, page []*record.Account) {
	if len(page) == f.Limit {
		a.warn("there may be more: --after %s", page[len(page)-1].ID)
	}
}

// facts prints one name and value per line.
func (a *app) facts(list [][2]string) {
	for _, fact := range list {
		a.printf("%-12s %s\n", fact[0], visible(fact[1]))
	}
}

// json prints a value as JSON, indented.
func (a *app) json(value any) error {
	encoder := json.NewEncoder(a.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// table prints rows below their headings. If there are no rows, it prints
// nothing to standard output and none as a warning.
func (a *app) table(none string, headings string, rows [][]string) error {
	if len(rows) == 0 {
		a.warn("%s", none)
		return nil
	}
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(headings, " ", "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = visible(row[i])
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// visible keeps text from users (names, user agents) from controlling the
// terminal or breaking the table.
func visible(text string) string {
	if text == "" {
		return "-"
	}
	return strings.Map(harmlessRune, text)
}

func harmlessRune(r rune) rune {
	if r < ' ' || r >= 0x7f && r < 0xa0 {
		return '\uFFFD'
	}
	return r
}

// when formats a time for people, in UTC; the zero time is empty.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// yes formats a flag for people.
func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// plural returns "1 row", "2 rows".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// strictly parses a file of the operator's. Unknown members, and data after
// the value, are errors.
func strictly(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is text after the JSON value")
	}
	return nil
}
