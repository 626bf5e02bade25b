package storetest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// The optional interfaces of a store.

var recordsParts = []part{
	{"keys", func(t *testing.T, s record.Store) {
		ks := s.Keys()
		if ks == nil {
			return
		}
		b := newBench(t, s)
		key := func(id string, state record.KeyState) record.Key {
			return record.Key{ID: id, Algorithm: "ES256", State: state, Created: start, Sealed: []byte{0, 1, 255}}
		}
		current, next := key("a", record.KeyCurrent), key("b", record.KeyNext)
		next.Created = start.Add(time.Second)
		b.must(ks.Add(b.ctx, next))
		b.must(ks.Add(b.ctx, current))
		b.is(ks.Add(b.ctx, key("a", record.KeyNext)), jotgate.ErrTaken)
		b.is(ks.Add(b.ctx, key("c", record.KeyCurrent)), jotgate.ErrTaken)

		at := start.Add(time.Minute)
		var wg sync.WaitGroup
		errs := make([]error, 10)
		for i := range errs {
			wg.Go(func() { errs[i] = ks.Switch(b.ctx, "b", at) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			b.is(err, jotgate.ErrNotFound)
		}
		if won != 1 {
			t.Errorf("%d nodes switched the key", won)
		}
		b.is(ks.Switch(b.ctx, "a", at), jotgate.ErrNotFound)
		b.is(ks.Delete(b.ctx, "b"), jotgate.ErrNotFound)
		current.State, current.Retired = record.KeyRetired, at
		next.State, next.Switched = record.KeyCurrent, at
		sameKeys(b, ks, current, next)

		b.must(ks.Retire(b.ctx, "b", at))
		b.must(ks.Retire(b.ctx, "a", at.Add(time.Hour)))
		b.is(ks.Retire(b.ctx, "x", at), jotgate.ErrNotFound)
		next.State, next.Retired = record.KeyRetired, at
		sameKeys(b, ks, current, next)
		b.must(ks.Delete(b.ctx, "a"))
		sameKeys(b, ks, next)
	}},
	{"events", func(t *testing.T, s record.Store) {
		es := s.Events()
		if es == nil {
			return
		}
		b := newBench(t, s)
		for i, user := range []record.UserID{"1", "2", "1", ""} {
			e := record.Event{
				Time: start.Add(time.Duration(i) * time.Second), Name: "login", User: user, Session: "s", Address: "192.0.2.1",
				UserAgent: "nul\x00", Detail: strings.Repeat("é", 2000),
			}
			b.must(es.Add(b.ctx, e))
		}
		list, err := es.List(b.ctx, "", 0, 3)
		b.must(err)
		if len(list) != 3 || list[0].User != "" || list[1].User != "1" || list[2].User != "2" || !list[0].Time.Equal(start.Add(3*time.Second)) {
			t.Errorf("newest first: %+v", list)
		}
		if strings.Contains(list[0].UserAgent, "\x00") || len(list[0].Detail) > 1024 {
			t.Error("a client's text was stored as it came")
		}
		list, err = es.List(b.ctx, "1", list[1].ID, 10)
		b.must(err)
		if len(list) != 1 || list[0].User != "1" || !list[0].Time.Equal(start) {
			t.Errorf("of one user, before: %+v", list)
		}
		n, err := es.Purge(b.ctx, start.Add(2*time.Second), 10)
		b.must(err)
		list, err = es.List(b.ctx, "", 0, 10)
		b.must(err)
		if n != 2 || len(list) != 2 {
			t.Errorf("purged %d, left %d", n, len(list))
		}
	}},
	{"login event", func(t *testing.T, s record.Store) {
		es := s.Events()
		if es == nil {
			return
		}
		b := newBench(t, s)
		session := b.session(b.account().ID)
		b.is(b.Sessions().Create(b.ctx, newSession(session.User), "second"), jotgate.ErrNotFound)
		list, err := es.List(b.ctx, "", 0, 10)
		b.must(err)
		want := record.Event{Time: start, Name: "login", User: session.User, Session: session.ID, Address: "192.0.2.1", UserAgent: "test", Outcome: "success", Count: 1}
		if len(list) == 1 {
			want.ID = list[0].ID
		}
		if d := cmp.Diff([]record.Event{want}, list); d != "" {
			t.Errorf("after a login and a refused one (-want +got):\n%s", d)
		}
	}},
	{"outbox", func(t *testing.T, s record.Store) {
		box := s.Outbox()
		if box == nil {
			return
		}
		b := newBench(t, s)
		message := record.Message{Kind: record.MessagePasswordReset, User: "1", To: "ada@example.com", Language: "en", Detail: "d", Created: start}
		for range 20 {
			b.must(box.Add(b.ctx, message))
		}
		due := func(at time.Time, limit int) []record.Message {
			list, err := box.Due(b.ctx, at, limit, time.Minute)
			b.must(err)
			return list
		}
		if list := due(start.Add(-time.Microsecond), 100); len(list) != 0 {
			t.Errorf("%d e-mails before their time", len(list))
		}

		var wg sync.WaitGroup
		var taken [4][]record.Message
		for i := range taken {
			wg.Go(func() {
				for range 10 {
					taken[i] = append(taken[i], due(start, 3)...)
				}
			})
		}
		wg.Wait()
		seen := map[int64]bool{}
		for _, list := range taken {
			for _, l := range list {
				if seen[l.ID] {
					t.Errorf("e-mail %d was returned twice", l.ID)
				}
				seen[l.ID] = true
				message.ID = l.ID
				if d := cmp.Diff(message, l); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			}
		}
		if len(seen) != 20 {
			t.Errorf("%d e-mails were returned, want 20", len(seen))
		}
		for id := range seen {
			b.must(box.Sent(b.ctx, id))
		}
		if list := due(start.Add(time.Hour), 100); len(list) != 0 {
			t.Errorf("%d e-mails after they were sent", len(list))
		}
		messageFails(b, box, message, due)
	}},
	{"failures", func(t *testing.T, s record.Store) {
		fs := s.Failures()
		if fs == nil {
			return
		}
		b := newBench(t, s)
		const hour = time.Hour
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				pair := []string{"a", "b"}
				if i%2 == 0 {
					pair = []string{"b", "a"}
				}
				if err := fs.Add(b.ctx, pair, start, start.Add(-hour)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		is := func(want map[string]record.Failure) {
			t.Helper()
			got, err := fs.Find(b.ctx, []string{"a", "b", "nobody", "nul\x00"})
			b.must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
		is(map[string]record.Failure{"a": {Count: 20, Last: start}, "b": {Count: 20, Last: start}})
		b.must(fs.Add(b.ctx, []string{"a"}, start.Add(2*hour), start.Add(hour)))
		is(map[string]record.Failure{"a": {Count: 1, Last: start.Add(2 * hour)}, "b": {Count: 20, Last: start}})
		b.must(fs.Forgive(b.ctx, record.Forgiveness{Own: "a", Pair: "a pair", Total: "a total", Share: 5}))
		is(map[string]record.Failure{"b": {Count: 20, Last: start}})
		n, err := fs.Purge(b.ctx, start.Add(time.Microsecond), 10)
		b.must(err)
		if n != 1 {
			t.Errorf("purged %d, want 1", n)
		}
		is(map[string]record.Failure{})
		networks(b, fs)
		forgiveness(b, fs)
	}},
}

// forgiveness checks that the failures of one account are subtracted once,
// and the others kept.
func forgiveness(b *bench, fs record.Failures) {
	b.Helper()
	keys := []string{"t", "t n", "t n mine"}
	f := record.Forgiveness{Own: keys[2], Pair: keys[1], Total: keys[0], Share: 5, Forget: start.Add(-time.Hour)}
	is := func(total, pair, own int) {
		b.Helper()
		got, err := fs.Find(b.ctx, keys)
		b.must(err)
		if got[keys[0]].Count != total || got[keys[1]].Count != pair || got[keys[2]].Count != own {
			b.Errorf("total, pair, own: %+v, want %d, %d, %d", got, total, pair, own)
		}
	}
	fail := func(times int, at time.Time, keys ...string) {
		b.Helper()
		for range times {
			b.must(fs.Add(b.ctx, keys, at, at.Add(-time.Hour)))
		}
	}
	fail(3, start, keys...)
	fail(2, start, keys[:2]...) // of another account with the same pair
	fail(9, start, keys[0])     // from other networks
	is(14, 5, 3)
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() { b.must(fs.Forgive(b.ctx, f)) })
	}
	wg.Wait()
	is(11, 2, 0)
	fail(8, start, keys[1:]...)
	is(11, 10, 8)
	b.must(fs.Forgive(b.ctx, f)) // 5 of the ten count in Total, 2 are kept
	is(8, 2, 0)
	fail(2, start, keys[1:]...)
	f.Forget = start.Add(time.Microsecond) // these are already forgotten
	b.must(fs.Forgive(b.ctx, f))
	is(8, 4, 0)
}

func sameKeys(b *bench, ks record.Keys, want ...record.Key) {
	b.Helper()
	got, err := ks.List(b.ctx)
	b.must(err)
	if d := cmp.Diff(want, got); d != "" {
		b.Errorf("keys (-want +got):\n%s", d)
	}
}

func messageFails(b *bench, box record.Outbox, message record.Message, due func(time.Time, int) []record.Message) {
	b.must(box.Add(b.ctx, message))
	first := due(start, 1)
	if len(first) != 1 || len(due(start.Add(time.Minute-time.Microsecond), 1)) != 0 || len(due(start.Add(time.Minute), 1)) != 1 {
		b.Fatal("the lease is not kept")
	}
	b.must(box.Failed(b.ctx, first[0].ID, start.Add(time.Hour), "refused\x00"))
	if len(due(start.Add(59*time.Minute), 1)) != 0 {
		b.Error("a failed e-mail is due before its retry")
	}
	if list := due(start.Add(time.Hour), 1); len(list) != 1 || list[0].Attempts != 1 {
		b.Errorf("after a failure: %+v", list)
	}
	b.must(box.Sent(b.ctx, first[0].ID))
	b.is(box.Failed(b.ctx, first[0].ID, start, ""), jotgate.ErrNotFound)
}

func networks(b *bench, fs record.Failures) {
	for i, after := range []time.Duration{0, time.Second, 25 * time.Hour} {
		known, err := fs.RememberNetwork(b.ctx, "1", "192.0.2.0/24", start.Add(after))
		b.must(err)
		if known != (i > 0) {
			b.Errorf("RememberNetwork after %v: known %v", after, known)
		}
	}
	for _, c := range []struct {
		user    record.UserID
		network string
		want    bool
	}{{"1", "192.0.2.0/24", true}, {"2", "192.0.2.0/24", false}, {"1", "198.51.100.0/24", false}, {"1\x00", "192.0.2.0/24", false}} {
		known, err := fs.KnownNetwork(b.ctx, c.user, c.network)
		b.must(err)
		if known != c.want {
			b.Errorf("KnownNetwork(%q, %s) = %v", c.user, c.network, known)
		}
	}
}
