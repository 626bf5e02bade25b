package sqlite_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store/sqlite"
)

// docs/database.md names every table.
func TestDocsListEveryTable(t *testing.T) {
	page, err := os.ReadFile("../../docs/database.md")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "jotgate.db")
	s, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var names string // without the tables that SQLite makes of a virtual one
	const tables = `SELECT group_concat(name) FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite_%'`
	if err := db.QueryRow(tables).Scan(&names); err != nil || !strings.Contains(names, "jotgate_session") {
		t.Fatal(names, err)
	}
	for name := range strings.SplitSeq(names, ",") {
		if !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("the table %s is missing", name)
		}
	}
}
