package api

// The tables as docs/credentials.md has them.

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/credentials"
)

const tablePage = "../docs/credentials.md"

// compareDocs compares the tables with those of the page.
func compareDocs(t *testing.T, places []place, cells [][]string) {
	endpoints := newTable(credentials.Browser, credentials.BrowserActor, credentials.BrowserPending)
	ofPages := newTable(credentials.Client)
	for i, p := range places {
		if p.page {
			ofPages.add(t, p.name, cells[i], true)
		} else {
			endpoints.add(t, p.name, cells[i], strings.HasPrefix(p.path, "/admin/api/"))
		}
	}
	compareSections(t, map[string]string{"table": endpoints.String(), "table of pages": ofPages.String(), "kinds": kindsText()})
}

// table is a table of the page.
type table struct {
	columns []credentials.Column
	without []credentials.Column // which are in every row as without a credential
	rows    []*tableRow
}

type tableRow struct {
	names   []string
	cells   []string
	grouped bool
}

func newTable(without ...credentials.Column) *table {
	t := &table{without: without}
	for c := range credentials.Columns {
		if !slices.Contains(without, c) {
			t.columns = append(t.columns, c)
		}
	}
	return t
}

// add adds a row. Those of a group that have the same cells become one.
func (t *table) add(tb testing.TB, name string, cells []string, grouped bool) {
	tb.Helper()
	for _, c := range t.without {
		if cells[c] != cells[credentials.None] {
			tb.Errorf("%s: %q in the column %q, which the table does not have", name, cells[c], c)
		}
	}
	for _, r := range t.rows {
		if grouped && r.grouped && slices.Equal(r.cells, cells) {
			r.names = append(r.names, name)
			return
		}
	}
	t.rows = append(t.rows, &tableRow{[]string{name}, cells, grouped})
}

func (t *table) String() string {
	var b strings.Builder
	b.WriteString("| ")
	for _, c := range t.columns {
		b.WriteString("| " + c.String() + " ")
	}
	b.WriteString("|\n|---" + strings.Repeat("|---", len(t.columns)) + "|\n")
	for _, r := range t.rows {
		b.WriteString("| " + namesText(r.names) + " ")
		for _, c := range t.columns {
			b.WriteString("| " + r.cells[c] + " ")
		}
		b.WriteString("|\n")
	}
	return b.String()
}

// namesText joins the names of a row: "GET `/a`, `/b`; POST `/a`". Paths of the
// administration have their prefix once, and very many are only counted.
func namesText(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	var parts []string
	for _, method := range []string{"GET", "POST"} {
		for _, prefix := range []string{"/admin/api/", "/admin/", "/"} {
			var paths []string
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
				path, ok := strings.CutPrefix(name, method+" `"+prefix)
				if ok {
					paths = append(paths, strings.TrimSuffix(path, "`"))
				}
				return ok
			})
			if len(paths) > 0 {
				parts = append(parts, pathsText(method, prefix, paths))
			}
		}
	}
	return strings.Join(parts, "; ")
}

func pathsText(method, prefix string, paths []string) string {
	below := " below `" + prefix + "`: "
	switch {
	case len(paths) >= 30:
		return method + " every other path below `" + prefix + "` (" + strconv.Itoa(len(paths)) + ")"
	case len(paths) == 1 || prefix == "/":
		below = " "
		for i := range paths {
			paths[i] = prefix + paths[i]
		}
	}
	return method + below + "`" + strings.Join(paths, "`, `") + "`"
}

// kindsText lists the kinds of each column.
func kindsText() string {
	var list strings.Builder
	for column := range credentials.Columns {
		var names []string
		for _, k := range append(credentials.Kinds(), credentials.Accepted()...) {
			if k.Column == column {
				names = append(names, k.Name)
			}
		}
		list.WriteString("- **" + column.String() + "**: " + strings.Join(names, "; ") + "\n")
	}
	return list.String()
}

// compareSections compares the sections of the page between <!-- NAME --> and
// <!-- end of NAME -->, or writes them.
func compareSections(t *testing.T, sections map[string]string) {
	page, err := os.ReadFile(tablePage)
	if err != nil {
		t.Fatal(err)
	}
	updated := page
	for name, text := range sections {
		begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- end of "+name+" -->")
		from, to := bytes.Index(updated, begin), bytes.Index(updated, end)
		if from < 0 || to < from {
			t.Fatalf("%s has no place for the %s", tablePage, name)
		}
		updated = slices.Concat(updated[:from], begin, []byte("\n"+text+"\n"), updated[to:])
	}
	if bytes.Equal(updated, page) {
		return
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(tablePage, updated, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, is := strings.Split(string(page), "\n"), strings.Split(string(updated), "\n")
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("not in %s: %s", tablePage, line)
		}
	}
	t.Errorf("%s differs from what the code does; UPDATE_DOCS=1 rewrites it", tablePage)
}
