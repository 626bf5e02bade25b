package matrix

// What is promised, and the tables on the page.

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// judge fails if a token is accepted at jotgate although the event must end it, or refused although it must not. It is
// independent of the page, so that rewriting the page hides nothing.
func (p *probe) judge(t *testing.T) {
	t.Helper()
	for place, got := range p.cells {
		if got == undecided || place == dj && (!p.kind.refresh || p.event.by == byDjango) {
			continue // Django's own rules: it does not follow the revocation list
		}
		if want := p.promised(place); got != want {
			t.Errorf("%s: %s: %q, want %q", p, placeNames[place], got, want)
		}
	}
}

// promised returns what a place may do with the token.
func (p *probe) promised(place int) cell {
	switch ends := p.event.ends; {
	case ends == nothing, ends == accessOnly && (p.kind.refresh || p.kind.page), p.event.byDigest && p.kind.unknown:
		return works
	case p.kind.refresh:
		return immediately
	case ends == sessionOnly && !p.kind.session:
		return untilExp
	case p.event.by == byDjango:
		return nextRefresh
	case p.follows(place):
		return soon
	default:
		return immediately
	}
}

// A row of a table: kinds of tokens that fare alike.
type row struct {
	event, kinds string
	cells        [places]cell
}

// tables renders both tables.
func tables(t *testing.T, seen []*probe) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("| access token | of | node of the event | second node | following guard | Django |\n|---|---|---|---|---|---|\n")
	for _, r := range rows(t, seen, false) {
		r.write(&out, here, second, guard, dj)
	}
	out.WriteString("\n| refresh token | of | node of the event | second node | Django |\n|---|---|---|---|---|\n")
	for _, r := range rows(t, seen, true) {
		r.write(&out, here, second, dj)
	}
	return out.String()
}

func (r row) write(out *strings.Builder, columns ...int) {
	out.WriteString("| " + r.event + " | " + r.kinds + " |")
	for _, place := range columns {
		text := string(r.cells[place])
		if text == "" {
			text = "–" // it is not meant for this place
		}
		out.WriteString(" " + text + " |")
	}
	out.WriteString("\n")
}

// rows joins the kinds of token that fare alike after an event. Whether a token is cached must make no difference.
func rows(t *testing.T, seen []*probe, refresh bool) (list []row) {
	t.Helper()
	for e := range events {
		var found []row
		for k := range kinds {
			if kinds[k].refresh != refresh || kinds[k].page && events[e].ofTokens {
				continue
			}
			cells := cellsOf(t, seen, &events[e], &kinds[k])
			same := slices.IndexFunc(found, func(r row) bool { return r.cells == cells })
			if same < 0 {
				found = append(found, row{events[e].name, kinds[k].name, cells})
				continue
			}
			found[same].kinds += "; " + kinds[k].name
		}
		for i := range found {
			if of := strings.Split(found[i].kinds, "; "); len(of) > 3 && i == 0 && len(found) <= 2 {
				found[i].kinds = "all others"
			}
			if len(found) == 1 {
				found[i].kinds = "all"
			}
		}
		list = append(list, found...)
	}
	return list
}

// cellsOf returns the cells of one event and kind of token.
func cellsOf(t *testing.T, seen []*probe, e *event, k *kind) (cells [places]cell) {
	t.Helper()
	for _, p := range seen {
		if p.event != e || p.kind != k {
			continue
		}
		for place, got := range p.cells {
			if got != undecided && cells[place] != undecided && cells[place] != got {
				t.Errorf("%s: %s: %q, and %q if it is not cached", p, placeNames[place], got, cells[place])
			}
			if got != undecided {
				cells[place] = got
			}
		}
	}
	return cells
}

// comparePage compares the tables with the page, or writes them into it with UPDATE_DOCS=1.
func comparePage(t *testing.T, got string) {
	t.Helper()
	const begin, end = "<!-- tables of interop/matrix -->\n\n", "\n<!-- end of the tables -->\n"
	path := filepath.Join("..", "..", "docs", "sessions.md")
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), begin)
	want, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the tables", path)
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-page +now; UPDATE_DOCS=1 rewrites it)\n%s", path, diff)
	}
}
