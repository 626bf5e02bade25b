package store_test

// The work of a statement, counted in the pages that the database visits for
// it. That depends on the data alone, not on the machine or what else it does.

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/jotgate/jotgate/store"
)

// statement is one that a store sent.
type statement struct {
	text string
	args []any
}

// observer collects the statements of a store.
type observer struct {
	w    *world
	mu   sync.Mutex // guards sent
	sent []statement
}

func observe(w *world, s *store.Store) *observer {
	o := &observer{w: w}
	s.Observe(func(text string, args []any) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sent = append(o.sent, statement{text, slices.Clone(args)})
	})
	return o
}

// work is what do asks of the database: how many statements, and how many pages
// these visit altogether.
func (o *observer) work(do func() error) (statements, pages int) {
	o.w.Helper()
	o.mu.Lock()
	o.sent = nil
	o.mu.Unlock()
	o.w.must(do())
	o.mu.Lock()
	sent := o.sent
	o.mu.Unlock()
	for _, s := range sent {
		pages += o.w.pages(s)
	}
	return len(sent), pages
}

// pages is how many pages of tables and indexes a statement visits, in the tables
// as they are now. Nothing is changed.
func (w *world) pages(s statement) int {
	w.Helper()
	if w.name == "sqlite" {
		return w.sqlitePages(s)
	}
	tx, err := w.raw.Begin()
	w.must(err)
	defer func() { _ = tx.Rollback() }()
	var text string
	err = tx.QueryRow("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+s.text, s.args...).Scan(&text)
	if taken := new(pgconn.PgError); errors.As(err, &taken) && taken.Code == "23505" {
		return 0 // the row is there now; that it was inserted visited the same few pages for any number of users
	}
	w.must(err)
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
	}
	w.must(json.Unmarshal([]byte(text), &plans))
	return plans[0].Plan.Hit + plans[0].Plan.Read
}

var (
	searched  = regexp.MustCompile(`^(SEARCH|SCAN) (\w+)`)
	withIndex = regexp.MustCompile(`USING (COVERING )?INDEX (\w+)`)
)

// sqlitePages adds up the paths from the root of each B-tree that the plan
// searches to one row: SQLite reports the plan and the depths, but does not
// count visits. A scan visits every page of the table.
func (w *world) sqlitePages(s statement) (pages int) {
	w.Helper()
	for _, line := range w.steps("EXPLAIN QUERY PLAN "+s.text, s.args...) {
		step := searched.FindStringSubmatch(line)
		if step == nil || strings.HasPrefix(line, "SCAN CONSTANT") {
			continue
		}
		table := s.table(step[2])
		if step[1] == "SCAN" {
			pages += w.count("SELECT COUNT(*) FROM dbstat WHERE name = $1", table)
			continue
		}
		index := withIndex.FindStringSubmatch(line)
		if index != nil {
			pages += w.depth(index[2])
		}
		if index == nil || index[1] == "" {
			pages += w.depth(table)
		}
	}
	return pages
}

// table is the table to which a name in the plan of the statement refers.
func (s statement) table(name string) string {
	if named := regexp.MustCompile(`(?i)(?:FROM|JOIN|UPDATE|INTO) "?(\w+)"? (?:AS )?` + name + `\b`).FindStringSubmatch(s.text); named != nil {
		return named[1]
	}
	return name
}

// depth is the number of levels of a B-tree of SQLite.
func (w *world) depth(name string) int {
	w.Helper()
	return w.count("SELECT COALESCE(MAX(LENGTH(path) - LENGTH(REPLACE(path, '/', ''))), 0) FROM dbstat WHERE name = $1 AND pagetype <> 'overflow'", name)
}

// steps are the lines of a plan.
func (w *world) steps(text string, args ...any) (lines []string) {
	w.Helper()
	rows, err := w.raw.QueryContext(w.ctx, text, args...)
	if err != nil {
		w.Fatalf("%s: %v", text, err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if w.name == "sqlite" {
			w.must(rows.Scan(new(int), new(int), new(int), &line))
		} else {
			w.must(rows.Scan(&line))
		}
		lines = append(lines, line)
	}
	w.must(rows.Err())
	return lines
}

// A scan of a table and a missing index are visible in the count.
func TestWorkShowsAScan(t *testing.T) {
	both(t, func(w *world) {
		w.open()
		w.fill(5_000, "x")
		for _, name := range []string{"auth_user", "auth_user AS u", "auth_user u"} {
			one := w.pages(statement{"SELECT email FROM " + name + " WHERE id = $1", []any{17}})
			every := w.pages(statement{"SELECT email FROM " + name + " WHERE password = $1", []any{"y"}})
			if one < 2 || one > 4 || every < 50 {
				t.Errorf("%s: %d pages for one row by its id, %d for a search of the whole table", name, one, every)
			}
		}
	})
}
