package pgtest

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
)

// Content returns all rows of all tables except those that are named, sorted, for tests
// that compare two states of a database.
func Content(tb testing.TB, raw *sql.DB, except ...string) string {
	tb.Helper()
	var parts []string
	for _, table := range texts(tb, raw, "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'") {
		if !slices.Contains(except, table) {
			parts = append(parts, "SELECT '"+table+` ' || t::text FROM "`+table+`" AS t`)
		}
	}
	rows := texts(tb, raw, strings.Join(parts, " UNION ALL "))
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// texts returns the values of a column of texts.
func texts(tb testing.TB, raw *sql.DB, query string) (list []string) {
	tb.Helper()
	rows, err := raw.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			tb.Fatal(err)
		}
		list = append(list, text)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return list
}
