package jotgate_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// eventsOf lists the whole audit trail, oldest first.
func (b *bench) events(t *testing.T) (list []record.Event) {
	t.Helper()
	for before := int64(0); ; {
		page, err := b.db.Events().List(t.Context(), "", before, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			slices.Reverse(list)
			return list
		}
		list, before = append(list, page...), page[len(page)-1].ID
	}
}

// A client that goes away before the response leaves its events and the messages about
// them nonetheless.
func TestClientThatLeaves(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	gone, leave := context.WithCancel(t.Context())
	leave()
	for _, name := range []string{"login_failed", "forbidden", "logout"} { // counted, counted, not counted
		b.Events().Record(gone, record.Event{Name: name, User: alice.ID}, jotgate.Client{})
	}
	if events := b.events(t); len(events) != 3 {
		t.Errorf("%v", events)
	}
	b.Accounts().Notify(gone, record.MessageWrongCodes, alice, "")
	if due, err := b.db.Outbox().Due(t.Context(), b.clock.Now(), 10, time.Minute); err != nil || len(due) != 1 {
		t.Errorf("%v %v", due, err)
	}
}

// A hundred thousand failed logins with as many names insert a limited number
// of rows and lose no count.
func TestTrailIsBounded(t *testing.T) {
	b := newGate(t, nil)
	const n = 100_000
	for i := range n {
		client := jotgate.Client{Address: fmt.Sprintf("203.0.%d.%d", i>>8&255, i&255), Endpoint: "/api/token/"}
		b.Events().Record(t.Context(), record.Event{Name: "login_failed", Subject: strconv.Itoa(i), Detail: "no such account"}, client)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_ = b.Run(ctx) // stores what was counted
	var rows, events int64
	for _, e := range b.events(t) {
		rows, events = rows+1, events+e.Count
	}
	if rows != 101 || events != n { // 100 names and the others
		t.Errorf("%d rows count %d events, want 101 and %d", rows, events, n)
	}
}

// The first five events of one key have rows; the others are counted in one
// more, for each window.
func TestTrailCounts(t *testing.T) {
	b := newGate(t, nil)
	client := jotgate.Client{Address: "203.0.113.1", Endpoint: "/api/token/"}
	for range 3 {
		for range 1000 {
			_, _ = b.Login(t.Context(), "nobody", "x", client)
		}
		b.clock.Advance(10 * time.Minute)
	}
	_, _ = b.Login(t.Context(), "nobody", "x", client)
	var counts []int64
	for _, e := range b.events(t) {
		counts = append(counts, e.Count)
		if e.Name != "login_failed" || e.Outcome != "failure" || e.Detail != "no such account" || e.Endpoint != "/api/token/" ||
			e.Subject != b.Events().Subject(" NOBODY") || e.Subject == b.Events().Subject("alice") || e.User != "" || strings.Contains(e.Subject, "nobody") {
			t.Errorf("%+v", e)
		}
	}
	slices.Sort(counts)
	if !slices.Equal(counts, append(slices.Repeat([]int64{1}, 16), 995, 995, 995)) {
		t.Errorf("the rows count %v", counts)
	}
}

// Whether a failed login has a row does not reveal whether there is such an
// account.
func TestTrailIsAlikeForAllNames(t *testing.T) {
	written := func(names ...string) (rows []int) {
		b := newGate(t, nil)
		b.user(t, "alice", nil)
		b.user(t, "bob", func(a *record.Account) { a.IsActive = false })
		for _, name := range names {
			before := len(b.events(t))
			_, _ = b.Login(t.Context(), name, "wrong", jotgate.Client{})
			rows = append(rows, len(b.events(t))-before)
		}
		return rows
	}
	want := written(repeated("nobody", "Nobody", "NOBODY", "other", "nobody")...)
	for _, names := range [][]string{{"Alice", "alice", "ALICE", "bob", "alice"}, {"alice", "Alice", "alice", "Bob", "alice"}, {"bob", "Bob", "bob", "alice", "bob"}} {
		if got := written(repeated(names...)...); !slices.Equal(got, want) {
			t.Errorf("%q write %v rows, names of nobody %v", names, got, want)
		}
	}
}

// repeated returns the list three times.
func repeated(names ...string) []string { return slices.Repeat(names, 3) }

// OnEvent gets each event that is logged; a panic in it has no other effect.
func TestOnEvent(t *testing.T) {
	var mu sync.Mutex
	var names []string
	b := newGate(t, func(s *jotgate.Settings) {
		s.OnEvent = func(_ context.Context, e record.Event) {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, e.Name+" "+e.Outcome)
			panic("a bug of the program")
		}
	})
	b.user(t, "alice", nil)
	tokens := b.login(t, "alice")
	for range 2 {
		_, _ = b.Login(t.Context(), "alice", "wrong", jotgate.Client{})
	}
	if err := b.Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"login success", "login_failed failure", "login_failed failure", "logout success"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// Every event that the code records is in the inventory, and docs/events.md
// lists it.
func TestEventInventory(t *testing.T) {
	page, err := os.ReadFile("docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, k := range record.EventKinds {
		rows := "each"
		if k.Bounded {
			rows = "bounded"
		}
		lines := "each"
		if k.Sampled {
			lines = "with a row"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", k.Name, k.Outcome, rows, lines, k.About)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/events.md does not hold the table of record.EventKinds:\n%s", table.String())
	}
	kinds := 0
	for _, k := range record.EventKinds {
		if k.Bounded {
			kinds++
		}
	}
	const inWindow = 100*(5+1) + 1 // rows of a kind: trailKeys, trailOwn and a count each, and one for the others
	if most := fmt.Sprintf("at most\n%d,%03d rows in ten minutes", kinds*inWindow/1000, kinds*inWindow%1000); !strings.Contains(string(page), most) {
		t.Errorf("docs/events.md does not say: %s", most)
	}
	for _, name := range recorded(t) {
		if _, ok := record.EventKindOf(name); !ok {
			t.Errorf("the event %q is recorded and is not in record.EventKinds", name)
		}
	}
}

// recorded lists the names in the composite literals record.Event{Name: "…"}.
func recorded(t *testing.T) (names []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			if of, ok := literal.Type.(*ast.SelectorExpr); !ok || of.Sel.Name != "Event" {
				return true
			}
			for _, element := range literal.Elts {
				pair, ok := element.(*ast.KeyValueExpr)
				if key, named := pair.Key.(*ast.Ident); ok && named && key.Name == "Name" {
					if text, ok := pair.Value.(*ast.BasicLit); ok {
						name, _ := strconv.Unquote(text.Value)
						names = append(names, name)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(names) < 10 {
		t.Fatalf("%d names, %v", len(names), err)
	}
	return names
}

// The audit trail is kept for EventRetention, 90 days.
func TestEventsAreKept(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	b.login(t, "alice")
	for _, c := range []struct {
		later time.Duration
		left  int
	}{{0, 1}, {90*24*time.Hour - time.Second, 1}, {2 * time.Second, 0}} {
		b.clock.Advance(c.later)
		if _, err := b.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if events, err := b.db.Events().List(t.Context(), alice.ID, 0, 10); err != nil || len(events) != c.left {
			t.Errorf("%v later: %v, %v", c.later, events, err)
		}
	}
}
