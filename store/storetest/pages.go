// Sessions of the login pages: the contract of record.PageSessions.

package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var pagesParts = []part{
	{"session with account", func(t *testing.T, s record.Store) {
		pages, ok := s.(record.PageSessions)
		if !ok {
			return // it is optional
		}
		b := newBench(t, s)
		a, other := b.account(), b.account()
		want := b.session(a.ID)
		got, account, err := pages.SessionWithAccount(b.ctx, want.ID, a.ID)
		b.must(err)
		if d := cmp.Diff(want, got); d != "" || account.ID != a.ID || account.Password != "first" {
			t.Errorf("account %+v, session (-want +got):\n%s", account, d)
		}
		for id, user := range map[string]record.UserID{want.ID: other.ID, "": a.ID, "x": a.ID, want.ID + "\x00": a.ID} {
			_, _, err := pages.SessionWithAccount(b.ctx, id, user)
			b.is(err, jotgate.ErrNotFound)
		}
		_, _, err = pages.SessionWithAccount(b.ctx, want.ID, "no key")
		b.is(err, jotgate.ErrNotFound)
	}},
}
