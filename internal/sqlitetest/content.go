package sqlitetest

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
)

// Content returns all rows of all tables except those that are named and those of a
// search, sorted, for tests that compare two states of a database.
func Content(tb testing.TB, raw *sql.DB, except ...string) string {
	tb.Helper()
	var parts []string
	for _, table := range texts(tb, raw, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%search%'") {
		if !slices.Contains(except, table) {
			row := texts(tb, raw, `SELECT 'COALESCE(quote("' || name || '"), '''')' FROM pragma_table_info($1)`, table)
			parts = append(parts, "SELECT '"+table+" ' || "+strings.Join(row, " || ' ' || ")+` FROM "`+table+`"`)
		}
	}
	rows := texts(tb, raw, strings.Join(parts, " UNION ALL "))
	slices.Sort(rows)
	return strings.Join(rows, "\n")
}

// texts returns the values of a column of texts.
func texts(tb testing.TB, raw *sql.DB, query string, args ...any) (list []string) {
	tb.Helper()
	rows := must(raw.QueryContext(tb.Context(), query, args...))(tb)
	defer rows.Close()
	for rows.Next() {
		var text string
		check(tb, rows.Scan(&text))
		list = append(list, text)
	}
	check(tb, rows.Err())
	return list
}
