// The feed: the contract of record.Revocations, with one caller at a time.

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/record"
)

var feedParts = []part{
	{"revocations", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		user := b.account().ID
		began := b.page(record.RevocationCursor{})
		var ids []string
		for range 5 {
			session := b.session(user)
			ids = append(ids, session.ID)
			_, err := b.Sessions().End(b.ctx, record.Ending{ID: session.ID, Reason: record.EndedByLogout, Now: start})
			b.must(err)
		}
		all := b.page(began.Next)
		for i, r := range all.Entries {
			if r.Session != ids[i] || i > 0 && r.Seq <= all.Entries[i-1].Seq || !all.Next.Seen.Sees(r.Transaction) || began.Next.Seen.Sees(r.Transaction) {
				t.Errorf("entry %d: %+v, of the sessions %v", i, r, ids)
			}
			if r.Made.Before(began.Clock) || r.Made.After(all.Clock) {
				t.Errorf("entry %d: made at %v, by the database's clock between %v and %v", i, r.Made, began.Clock, all.Clock)
			}
		}
		if len(all.Entries) != 5 || all.More {
			t.Fatalf("%+v, want 5 entries", all)
		}
		if again := b.page(all.Next); len(again.Entries) > 0 || !again.Next.Seen.Covers(all.Next.Seen) {
			t.Errorf("nothing was revoked since, and there is %+v", again)
		}
		other := all.Next
		other.Epoch += "x"
		for _, cursor := range []record.RevocationCursor{{}, other} {
			if d := cmp.Diff(append(began.Entries, all.Entries...), b.page(cursor).Entries); d != "" {
				t.Errorf("after %+v (-want +got):\n%s", cursor, d)
			}
		}
		for _, c := range []struct {
			now  time.Time
			keep time.Duration
			want int
		}{
			{all.Clock, time.Hour, 5},
			{all.Clock.Add(24 * time.Hour), time.Hour, 5}, // a node whose clock is ahead gets the same entries
			{all.Clock.Add(-24 * time.Hour), time.Hour, 5},
			{all.Clock, -time.Hour, 0}, // only entries made an hour from now
		} {
			page, err := b.Revocations().List(b.ctx, record.RevocationCursor{}, c.now, c.keep)
			b.must(err)
			if got := len(page.Entries) - len(began.Entries); c.want > 0 && got != c.want || c.want == 0 && len(page.Entries) > 0 {
				t.Errorf("at %v, kept for %v: %d entries, want %d", c.now, c.keep, got, c.want)
			}
		}
	}},
	{"revocation of a session whose issuer's clock is ahead", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		user := b.account().ID
		session := newSession(user)
		ahead := b.page(record.RevocationCursor{}).Clock.Add(time.Hour).UTC().Truncate(time.Microsecond)
		session.Created, session.LastSeen, session.Expires = ahead, ahead, ahead.Add(time.Hour)
		b.must(b.Sessions().Create(b.ctx, session, "first"))
		_, err := b.Sessions().End(b.ctx, record.Ending{ID: session.ID, Reason: record.EndedByLogout, Now: start})
		b.must(err)
		if list := b.revoked(session.ID, ""); len(list) != 1 || !list[0].Made.Equal(ahead) {
			t.Errorf("%+v, want one of %v", list, ahead)
		}
	}},
}
