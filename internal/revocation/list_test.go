package revocation

import (
	"encoding/binary"
	"encoding/hex"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/alone"
	"github.com/jotgate/jotgate/record"
)

// sid returns the n-th of many session ids.
func sid(n int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], uint64(n)*0x9E3779B97F4A7C15)
	return hex.EncodeToString(b[:])
}

// atNoon is a clock that stands still.
func atNoon() time.Time { return time.Unix(1767225600, 0) }

// newList returns a list that is served and keeps entries of both kinds for the
// same time.
func newList(keep time.Duration, now func() time.Time) *List {
	return NewList(Settings{Sessions: keep, Users: keep, Served: true, Now: now})
}

func TestRevocations(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newList(5*time.Minute, func() time.Time { return noon })
	if r.Revoked(sid(1), "7", noon.Unix()) {
		t.Error("revoked, and nothing was")
	}
	r.Add(record.Revocation{Seq: 1, Session: sid(1), Made: noon})
	r.Add(record.Revocation{Seq: 2, User: "7", NotBefore: noon, Made: noon})
	for _, c := range []struct {
		name   string
		sid    string
		user   record.UserID
		issued int64
		want   bool
	}{
		{"its session", sid(1), "1", noon.Unix() + 100, true},
		{"another session", sid(2), "1", noon.Unix(), false},
		{"its user, before", sid(2), "7", noon.Unix() - 1, true},
		{"its user, in that second, with a session", sid(2), "7", noon.Unix(), false},
		{"its user, in that second, without one", "", "7", noon.Unix(), true},
		{"its user, after", "", "7", noon.Unix() + 1, false},
		{"another user", "", "8", noon.Unix() - 1, false},
		{"no sid at all", "x", "1", noon.Unix(), false},
	} {
		if got := r.Revoked(c.sid, c.user, c.issued); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	r.Sweep(noon.Add(5 * time.Minute))
	if !r.Revoked(sid(1), "1", 0) {
		t.Error("forgotten while a token may live")
	}
	r.Sweep(noon.Add(5*time.Minute + 3*time.Second))
	if r.Revoked(sid(1), "1", 0) || r.Revoked("", "7", 0) || !r.empty.Load() {
		t.Error("kept although no token can live")
	}
}

// A token may live to the very second; an entry that is known already is not
// new.
func TestRevocationsBounds(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newList(5*time.Minute, func() time.Time { return noon })
	if r.Age(noon) < 1000*time.Hour {
		t.Errorf("an age of %v before the list was complete", r.Age(noon))
	}
	r.SetComplete(noon)
	if got := r.Age(noon.Add(3 * time.Second)); got != 3*time.Second {
		t.Errorf("an age of %v after three seconds", got)
	}
	session, user := record.Revocation{Seq: 1, Session: sid(1), Made: noon}, record.Revocation{Seq: 2, User: "7", NotBefore: noon, Made: noon}
	for n, c := range []struct {
		entry record.Revocation
		fresh bool
	}{
		{session, true},
		{session, false},
		{user, true},
		{user, false},
		{record.Revocation{User: "7", NotBefore: noon.Add(-time.Second)}, false},
		{record.Revocation{User: "8"}, false},
		{record.Revocation{NotBefore: noon}, false},
		{record.Revocation{Session: "short", Made: noon}, false},
		{record.Revocation{Session: strings.Repeat("x", 32), Made: noon}, false},
		{record.Revocation{User: "7", NotBefore: noon.Add(time.Second)}, true},
	} {
		added := r.added
		r.Add(c.entry)
		select {
		case <-added:
			if !c.fresh {
				t.Errorf("entry %d is reported as new", n)
			}
		default:
			if c.fresh {
				t.Errorf("entry %d is not reported as new", n)
			}
		}
	}
	// The session may be rejected for 301 seconds, the user, revoked a second
	// later, for one more.
	r.Sweep(noon.Add(301 * time.Second))
	if !r.Revoked(sid(1), "", 0) || len(r.log.entries) != 3 {
		t.Errorf("the session is forgotten too early, or not listed: %v", r.log.entries)
	}
	r.Sweep(noon.Add(302 * time.Second))
	if r.Revoked(sid(1), "", 0) || !r.Revoked("", "7", 0) || r.empty.Load() {
		t.Error("the session is kept, or the user forgotten, or nothing seems to be left")
	}
	if r.Sweep(noon.Add(303 * time.Second)); r.Revoked("", "7", 0) || !r.empty.Load() {
		t.Error("the user is kept")
	}
	r.Add(session)
	if r.Sweep(noon); r.empty.Load() {
		t.Error("a session alone is nothing")
	}
}

// The cursor never moves back, unless the database is another one.
func TestRevocationsTake(t *testing.T) {
	r := newList(time.Minute, atNoon)
	at := func(epoch string, n int64) record.RevocationCursor {
		return record.RevocationCursor{Epoch: epoch, Seen: record.Horizon{Min: n, Max: n}}
	}
	for _, c := range []struct{ next, want record.RevocationCursor }{
		{at("a", 5), at("a", 5)},
		{at("a", 3), at("a", 5)}, // a reader that was slower
		{record.RevocationCursor{Epoch: "a", Target: at("a", 9).Seen, Seq: 7}, at("a", 5)}, // a page of several
		{at("a", 9), at("a", 9)},
		{at("b", 2), at("b", 2)},
	} {
		r.AddPage(record.RevocationPage{Next: c.next})
		if got := r.Cursor(); got.Epoch != c.want.Epoch || got.Seen.String() != c.want.Seen.String() || got.Target.Max != 0 {
			t.Errorf("after %+v: %+v, want %+v", c.next, got, c.want)
		}
	}
	if r.Rewind(); r.Cursor().Seen.Max != 0 {
		t.Error("not at the start")
	}
}

// The memory of a million revocations is limited.
func TestRevocationMemory(t *testing.T) { alone.Run(t, takesLittle) }

func takesLittle(t *testing.T) {
	const n = 1_000_000
	before := heap()
	r := filled(n)
	perEntry := float64(heap()-before) / n
	t.Logf("%.0f bytes an entry", perEntry)
	if perEntry > 100 {
		t.Errorf("%.0f bytes an entry", perEntry)
	}
	if !r.Revoked(sid(n-1), "", 0) || r.Revoked(sid(n), "", 0) {
		t.Error("the wrong sessions are revoked")
	}
}

func filled(n int) *List {
	r := NewList(Settings{Sessions: 5 * time.Minute, Users: 5 * time.Minute, Now: atNoon})
	now := time.Unix(1767225600, 0)
	page := make([]record.Revocation, 0, record.MaxRevocations)
	for i := range n {
		page = append(page, record.Revocation{Seq: int64(i), Session: sid(i), Made: now})
		if len(page) == cap(page) || i == n-1 {
			r.AddPage(record.RevocationPage{Entries: page})
			page = page[:0]
		}
	}
	return r
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Nodes' clocks differ: an entry that arrives late with an early time must
// not remove those before it from the log.
func TestFeedSweepKeepsWhatIsInForce(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newList(5*time.Minute, func() time.Time { return noon })
	for i, at := range []time.Duration{2 * time.Minute, 0, 0} {
		r.Add(record.Revocation{Session: sid(i), Made: noon.Add(at)})
	}
	r.Sweep(noon.Add(6 * time.Minute))
	page, _, _ := r.page("")
	if len(page.Revoked) == 0 || page.Revoked[0].Session != sid(0) {
		t.Errorf("the log holds %+v, and session %s is revoked", page.Revoked, sid(0))
	}
	r.Sweep(noon.Add(8 * time.Minute))
	if page, _, _ := r.page(""); len(page.Revoked) != 0 {
		t.Errorf("the log keeps %+v", page.Revoked)
	}
}
