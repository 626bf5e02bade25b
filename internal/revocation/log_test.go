package revocation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// A cursor gets the entries that it has not seen; one of another history, or
// of an earlier version, gets all.
func TestFeedLog(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	list := new(log)
	for n := range 5 { // the third transaction commits last
		tx := []int64{101, 102, 104, 105, 103}[n]
		list.append(record.Revocation{Session: fmt.Sprint(tx), Transaction: tx}, noon.Unix()+int64(n))
	}
	list.append(record.Revocation{User: "7", Transaction: 106, NotBefore: noon.Add(5 * time.Second)}, noon.Unix()+5)
	here := record.RevocationCursor{Epoch: "e", Seen: record.Horizon{Min: 107, Max: 107}}
	list.sweep(noon.Unix()+2, noon.Unix()+2) // drops the first two, keeps the one of that second
	all := []string{"104", "105", "103", "7"}
	for _, c := range []struct {
		cursor          string
		complete, ahead bool
		want            []string
	}{
		{"", true, false, all},
		{"x.104:104:", true, false, all},
		{"e", true, false, all},
		{"e.4", true, false, all},               // of an earlier version
		{"e.-1:-1:", true, false, all},          // not a horizon
		{"e.104:103:", true, false, all},        // likewise
		{"e.103:106:103,103", true, false, all}, // likewise
		{"e." + strings.Repeat("1", 5000), true, false, all},
		{"e.102:102:", false, false, all}, // seen long ago: the dropped entries are no longer needed
		{"e.104:104:", false, false, []string{"104", "105", "7"}},
		{"e.103:106:103", false, false, []string{"103", "7"}}, // 103 was running
		{"e.103:106:103,104", false, false, []string{"104", "103", "7"}},
		{"e.106:106:", false, false, []string{"7"}},
		{"e.107:107:", false, false, nil},
		{"e.108:108:", true, true, all}, // more than this process has
	} {
		page, ahead := list.since(c.cursor, here)
		var got []string
		for _, e := range page.Revoked {
			got = append(got, e.Session+string(e.User))
		}
		if !slices.Equal(got, c.want) || page.Complete != c.complete || ahead != c.ahead || page.Cursor != "e.107:107:" || page.Revoked == nil {
			t.Errorf("since %q: %+v, ahead %v, want %v, %v", c.cursor, page, ahead, c.want, c.complete)
		}
	}
	if page, _ := list.since("e.106:106:", here); page.Revoked[0].At != noon.Unix()+5 {
		t.Errorf("a user's revocation counts from %d", page.Revoked[0].At)
	}
	list.sweep(noon.Unix()+100, noon.Unix()+100)
	if page, _ := list.since("", here); len(page.Revoked) > 0 {
		t.Error("something is left")
	}
}

// A cursor remains short however many transactions are running; then it has
// seen less, never more.
func TestFeedCursorIsBounded(t *testing.T) {
	h := record.Horizon{Min: 1 << 40, Max: 1<<40 + 1000}
	for n := range int64(1000) {
		h.Running = append(h.Running, h.Min+n)
	}
	text := cursorText(record.RevocationCursor{Epoch: "e", Seen: h})
	short, err := record.ParseHorizon(strings.TrimPrefix(text, "e."))
	if err != nil || len(text) > maxCursor || !h.Covers(short) {
		t.Errorf("%d bytes, %v, %v", len(text), short, err)
	}
}

// A page that is read while another one arrives lists no entry that its cursor
// has not seen: the next request would get it again.
func TestFeedPagesBelongToTheirCursor(t *testing.T) {
	r := newList(time.Hour, atNoon)
	const pages = 3000
	go func() {
		for n := range int64(pages) {
			r.AddPage(record.RevocationPage{
				Entries: []record.Revocation{{Session: fmt.Sprintf("%032x", n+1), Transaction: n, Made: time.Unix(n, 0)}},
				Next:    record.RevocationCursor{Epoch: "e", Seen: record.Horizon{Min: n + 1, Max: n + 1}},
			})
		}
	}()
	listed := map[string]int{}
	for cursor := ""; len(listed) < pages; {
		page, added, _ := r.page(cursor)
		for _, e := range page.Revoked {
			listed[e.Session]++
		}
		if len(page.Revoked) == 0 {
			<-added
		}
		cursor = page.Cursor
	}
	for id, times := range listed {
		if times > 1 {
			t.Fatalf("the session %s is listed %d times", id, times)
		}
	}
}

// Followers with the same cursor get one page, which is encoded once. A change of the
// list ends it.
func TestFeedPagesAreShared(t *testing.T) {
	r := newList(time.Hour, atNoon)
	add := func(n int64) {
		r.AddPage(record.RevocationPage{
			Entries: []record.Revocation{{Session: sid(int(n)), Transaction: n, Made: atNoon()}},
			Next:    record.RevocationCursor{Epoch: "e", Seen: record.Horizon{Min: n + 1, Max: n + 1}},
		})
	}
	text := func(cursor string) (text []byte, entries int, next string) {
		page, _, _ := r.page(cursor)
		text, digest, err := page.encode()
		if err != nil || digest != digestOf(text) {
			t.Fatal(err)
		}
		return text, len(page.Revoked), page.Cursor
	}
	same := func(a, b []byte) bool { return &a[0] == &b[0] }
	add(1)
	first, _, cursor := text("")
	if again, _, _ := text(""); !same(first, again) {
		t.Error("the page of all entries is made twice")
	}
	add(2)
	one, entries, next := text(cursor)
	if again, _, _ := text(cursor); entries != 1 || !same(one, again) {
		t.Errorf("the page of the last entry is made twice: %s", again)
	}
	for _, change := range []struct {
		name string
		make func()
	}{
		{"an entry", func() { add(3) }},
		{"lifetimes", func() { r.extend(99999, 99999) }},
		{"a sweep", func() { r.Sweep(atNoon()) }},
		{"a cursor", func() {
			r.AddPage(record.RevocationPage{Next: record.RevocationCursor{Epoch: "e", Seen: record.Horizon{Min: 9, Max: 9}}})
		}},
		{"a rewind", r.Rewind},
	} {
		before, _, _ := text(next)
		change.make()
		if after, _, _ := text(next); same(before, after) {
			t.Errorf("%s: the former page is sent", change.name)
		}
	}
	add(10)
	for n := range 2 * maxPages { // the reader chooses its cursor
		text(fmt.Sprint("e.", n, ":", n, ":"))
	}
	if text("unknown"); len(r.log.pages) > maxPages || len(r.log.pages) == 0 {
		t.Errorf("%d pages are kept", len(r.log.pages))
	}
	if _, kept := r.log.pages["unknown"]; kept {
		t.Error("a page of all entries is kept for any cursor")
	}
}

// BenchmarkPage is what one of many followers costs when a session is revoked among
// 100,000.
func BenchmarkPage(b *testing.B) {
	r := newList(time.Hour, atNoon)
	entries := make([]record.Revocation, 100_001)
	for n := range entries {
		entries[n] = record.Revocation{Session: sid(n), Made: atNoon()}
	}
	entries[100_000].Transaction = 1
	r.AddPage(record.RevocationPage{Entries: entries, Next: record.RevocationCursor{Epoch: "e", Seen: record.Horizon{Min: 2, Max: 2}}})
	for b.Loop() {
		page, _, _ := r.page("e.1:1:")
		if text, _, err := page.encode(); err != nil || len(page.Revoked) != 1 {
			b.Fatalf("%s %v", text, err)
		}
	}
}
