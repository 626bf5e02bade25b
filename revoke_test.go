package jotgate

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// sid returns the n-th of many session ids.
func sid(n int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[8:], uint64(n)*0x9E3779B97F4A7C15)
	return hex.EncodeToString(b[:])
}

func TestRevocations(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newRevocations(5*time.Minute, 5*time.Minute)
	r.clock = func() time.Time { return noon }
	if r.revoked(sid(1), "7", noon.Unix()) {
		t.Error("revoked, and nothing was")
	}
	r.add(record.Revocation{Seq: 1, Session: sid(1), Made: noon})
	r.add(record.Revocation{Seq: 2, User: "7", NotBefore: noon, Made: noon})
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
		if got := r.revoked(c.sid, c.user, c.issued); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	r.sweep(noon.Add(5 * time.Minute))
	if !r.revoked(sid(1), "1", 0) {
		t.Error("forgotten while a token may live")
	}
	r.sweep(noon.Add(5*time.Minute + 3*time.Second))
	if r.revoked(sid(1), "1", 0) || r.revoked("", "7", 0) || !r.empty.Load() {
		t.Error("kept although no token can live")
	}
}

// A token may live to the very second; an entry that is known already is not
// new.
func TestRevocationsBounds(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newRevocations(5*time.Minute, 5*time.Minute)
	r.clock = func() time.Time { return noon }
	r.serveFeed()
	if r.age(noon) < 1000*time.Hour {
		t.Errorf("an age of %v before anything was heard", r.age(noon))
	}
	r.heard.Store(noon.UnixMicro())
	if got := r.age(noon.Add(3 * time.Second)); got != 3*time.Second {
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
		news := r.news
		r.add(c.entry)
		select {
		case <-news:
			if !c.fresh {
				t.Errorf("entry %d is told as news", n)
			}
		default:
			if c.fresh {
				t.Errorf("entry %d is no news", n)
			}
		}
	}
	// The session may be rejected for 301 seconds, the user, revoked a second
	// later, for one more.
	r.sweep(noon.Add(301 * time.Second))
	if !r.revoked(sid(1), "", 0) || len(r.log.entries) != 3 {
		t.Errorf("the session is forgotten too early, or untold: %v", r.log.entries)
	}
	r.sweep(noon.Add(302 * time.Second))
	if r.revoked(sid(1), "", 0) || !r.revoked("", "7", 0) || r.empty.Load() {
		t.Error("the session is kept, or the user forgotten, or nothing seems to be left")
	}
	if r.sweep(noon.Add(303 * time.Second)); r.revoked("", "7", 0) || !r.empty.Load() {
		t.Error("the user is kept")
	}
	r.add(session)
	if r.sweep(noon); r.empty.Load() {
		t.Error("a session alone is nothing")
	}
}

// The cursor never moves back, unless the database is another one.
func TestRevocationsTake(t *testing.T) {
	r := newRevocations(time.Minute, time.Minute)
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
		r.take(record.RevocationPage{Next: c.next})
		if got := r.after(); got.Epoch != c.want.Epoch || got.Seen.String() != c.want.Seen.String() || got.Target.Max != 0 {
			t.Errorf("after %+v: %+v, want %+v", c.next, got, c.want)
		}
	}
	if r.rewind(); r.after().Seen.Max != 0 {
		t.Error("not at the start")
	}
}

// The memory of a million revocations is limited.
func TestRevocationMemory(t *testing.T) {
	const n = 1_000_000
	before := heap()
	r := filled(n)
	perEntry := float64(heap()-before) / n
	t.Logf("%.0f bytes an entry", perEntry)
	if perEntry > 100 {
		t.Errorf("%.0f bytes an entry", perEntry)
	}
	if !r.revoked(sid(n-1), "", 0) || r.revoked(sid(n), "", 0) {
		t.Error("the wrong sessions are revoked")
	}
}

func filled(n int) *revocations {
	r := newRevocations(5*time.Minute, 5*time.Minute)
	now := time.Unix(1767225600, 0)
	page := make([]record.Revocation, 0, record.MaxRevocations)
	for i := range n {
		page = append(page, record.Revocation{Seq: int64(i), Session: sid(i), Made: now})
		if len(page) == cap(page) || i == n-1 {
			r.take(record.RevocationPage{Entries: page})
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

// BenchmarkVerifyWithRevocations compares verifying with none, one and a
// million revocations.
func BenchmarkVerifyWithRevocations(b *testing.B) {
	const secret = "golden-secret-key-golden-secret-key-golden-secret-key-0123456789"
	gate, err := New(Settings{SecretKey: secret}, nil)
	if err != nil {
		b.Fatal(err)
	}
	s := &record.Session{ID: sid(-1), JTI: randomHex(), Created: time.Now(), Expires: time.Now().Add(time.Hour), Rotated: time.Now()}
	tokens, err := gate.issue(b.Context(), &record.Account{ID: "1", Username: "alice", Email: "alice@example.com"}, s, nil, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range []int{0, 1, 1_000_000} {
		gate.revoked = filled(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gate.VerifyAccess(tokens.Access); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Nodes' clocks differ: an entry that arrives late with an early time must
// not remove those before it from the log.
func TestFeedSweepKeepsWhatIsInForce(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	r := newRevocations(5*time.Minute, 5*time.Minute)
	r.clock = func() time.Time { return noon }
	r.serveFeed()
	for i, at := range []time.Duration{2 * time.Minute, 0, 0} {
		r.add(record.Revocation{Session: sid(i), Made: noon.Add(at)})
	}
	r.sweep(noon.Add(6 * time.Minute))
	page, _, _ := r.page("")
	if len(page.Revoked) == 0 || page.Revoked[0].Session != sid(0) {
		t.Errorf("the log holds %+v, and session %s is revoked", page.Revoked, sid(0))
	}
	r.sweep(noon.Add(8 * time.Minute))
	if page, _, _ := r.page(""); len(page.Revoked) != 0 {
		t.Errorf("the log keeps %+v", page.Revoked)
	}
}

// A guard keeps revocations for as long as the gate's tokens live.
func TestFollowerKeepsAsLongAsTheGate(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	now := func() time.Time { return noon }
	gate, err := New(Settings{
		SecretKey: "a secret of thirty-two bytes or more", AccessTokenLifetime: 3 * time.Hour, ServeRevocations: true, Now: now,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	gate.revoked.heard.Store(noon.UnixMicro())
	gate.revoked.add(record.Revocation{Session: sid(1), Made: noon})
	server := httptest.NewServer(gate.Sessions().RevocationFeed())
	defer server.Close()
	guard, err := NewGuard(GuardSettings{Keys: gate.keys, RevocationsURL: server.URL, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := guard.follow.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	guard.revoked.sweep(noon.Add(3 * time.Hour))
	if !guard.revoked.revoked(sid(1), "1", 0) {
		t.Error("forgotten while a token of the session may live")
	}
	guard.revoked.sweep(noon.Add(3*time.Hour + 3*time.Second))
	if guard.revoked.revoked(sid(1), "1", 0) {
		t.Error("kept although no token can live")
	}
}
