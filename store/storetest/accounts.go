// Accounts: the contract of record.Accounts.

package storetest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var accountsParts = []part{
	// A context that is done is ErrUnavailable, and nothing is written.
	{"a context that is over", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		over, cancel := context.WithCancel(b.ctx)
		cancel()
		a := &record.Account{Username: "late", Password: "x", IsActive: true}
		b.is(b.Accounts().Create(over, a), jotgate.ErrUnavailable)
		_, err := b.Accounts().ByLogin(over, "late")
		b.is(err, jotgate.ErrUnavailable)
		_, err = b.Accounts().ByLogin(b.ctx, "late")
		b.is(err, jotgate.ErrNotFound)
	}},
	{"find accounts", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := &record.Account{
			Username: "Ada", Email: "Ada@Example.com", FirstName: "Ada", LastName: "Löwe", Password: "p$1", IsActive: true,
			IsStaff: true, IsSuperuser: true, DateJoined: start, LastLogin: start.Add(time.Second).Truncate(time.Second),
		}
		b.must(b.Accounts().Create(b.ctx, a))
		other := &record.Account{Username: "ada2", Email: "ada@example.COM", Password: "q", DateJoined: start}
		b.must(b.Accounts().Create(b.ctx, other))

		for _, want := range []*record.Account{a, other} {
			got, err := b.Accounts().ByLogin(b.ctx, want.Username)
			b.must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("by login (-want +got):\n%s", d)
			}
			got, err = b.Accounts().ByID(b.ctx, want.ID)
			b.must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("by id (-want +got):\n%s", d)
			}
		}
		for _, login := range []string{"", "ADA", "Ada ", "Ada\x00", "Ad\xff", "nobody", strings.Repeat("a", 10_000)} {
			_, err := b.Accounts().ByLogin(b.ctx, login)
			b.is(err, jotgate.ErrNotFound)
		}
		for _, id := range notIDs(a.ID) {
			_, err := b.Accounts().ByID(b.ctx, id)
			b.is(err, jotgate.ErrNotFound)
		}
		byEmail(b, a.ID, other.ID)
		pages(b, a.ID, other.ID)
	}},
	{"create accounts", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		first := b.account()
		again := &record.Account{Username: first.Username, Password: "x"}
		b.is(b.Accounts().Create(b.ctx, again), jotgate.ErrTaken)
		if again.ID != "" {
			t.Errorf("a refused account has the id %q", again.ID)
		}
		b.must(b.Accounts().Delete(b.ctx, first.ID))
		second := b.account()
		if second.ID == first.ID {
			t.Errorf("the id %s of a deleted account was used again", first.ID)
		}
		if joined := second.DateJoined; time.Since(joined).Abs() > time.Hour || joined.Location() != time.UTC {
			t.Errorf("date_joined is %v, want now in UTC", joined)
		}
		for field, bad := range map[string]record.Account{
			"username":   {Username: "nul\x00"},
			"email":      {Username: "e", Email: "\xff"},
			"first_name": {Username: "f", FirstName: "a\x00b"},
			"password":   {Username: "p", Password: "\x00"},
		} {
			if err := b.Accounts().Create(b.ctx, &bad); jotgate.AsError(err).Status != 400 || jotgate.AsError(err).Fields[0].Field != field {
				t.Errorf("%s: %v", field, err)
			}
		}
		racingNames(b)
	}},
	{"change accounts", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a, other := b.account(), b.account()
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{
			Username: new("new"), Email: new("new@example.com"), FirstName: new("N"), LastName: new("E"), Password: new("second"),
			IsStaff: new(true), IsSuperuser: new(true), LastLogin: &start, IfPassword: new("first"), IfActive: new(true),
		}))
		want := &record.Account{
			ID: a.ID, Username: "new", Email: "new@example.com", FirstName: "N", LastName: "E", Password: "second",
			IsActive: true, IsStaff: true, IsSuperuser: true, DateJoined: a.DateJoined, LastLogin: start,
		}
		same := func() {
			t.Helper()
			got, err := b.Accounts().ByID(b.ctx, a.ID)
			b.must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
		same()
		refused := []struct {
			name   string
			id     record.UserID
			change record.Change
			want   error
		}{
			{"another password", a.ID, record.Change{FirstName: new("X"), IfPassword: new("first")}, jotgate.ErrNotFound},
			{"a password that cannot be", a.ID, record.Change{FirstName: new("X"), IfPassword: new("second\x00")}, jotgate.ErrNotFound},
			{"not active", a.ID, record.Change{FirstName: new("X"), IfActive: new(false)}, jotgate.ErrNotFound},
			{"nobody", "999999", record.Change{FirstName: new("X")}, jotgate.ErrNotFound},
			{"no id", "x", record.Change{FirstName: new("X")}, jotgate.ErrNotFound},
			{"nothing, of an unknown account", "999999", record.Change{}, jotgate.ErrNotFound},
			{"a name that exists", a.ID, record.Change{Username: &other.Username}, jotgate.ErrTaken},
		}
		for _, c := range refused {
			t.Run(c.name, func(t *testing.T) {
				newBench(t, s).is(b.Accounts().Change(b.ctx, c.id, c.change), c.want)
				same()
			})
		}
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{}))
		same()
		oneReset(b, a.ID)
	}},
	{"end sessions of accounts", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		at := start.Add(time.Minute)

		a := b.account()
		kept, ended, began := b.session(a.ID), b.session(a.ID), b.page(record.RevocationCursor{}).Clock
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{
			Password: new("second"), EndSessions: record.EndedByPassword, KeepSession: kept.ID, At: at,
		}))
		if row := b.find(ended.ID); !row.Ended.Equal(at) || row.EndReason != record.EndedByPassword {
			t.Errorf("after a change of password: ended %v, %q", row.Ended, row.EndReason)
		}
		if row := b.find(kept.ID); !row.Ended.IsZero() || len(b.revoked(kept.ID, "")) != 0 {
			t.Errorf("the kept session ended: %q", row.EndReason)
		}
		if list := b.revoked(ended.ID, ""); len(list) != 1 || list[0].Made.Before(began) {
			t.Errorf("revocations of the ended session: %v", list)
		}

		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(false), At: at}))
		if row := b.find(kept.ID); row.EndReason != record.EndedByAccount || len(b.revoked(kept.ID, "")) != 1 {
			t.Errorf("after a deactivation: %q", row.EndReason)
		}
		if list := b.revoked("", a.ID); len(list) != 2 || !list[0].Sessionless || list[1].Sessionless || !list[1].NotBefore.Equal(at) ||
			list[1].Username != a.Username {
			t.Errorf("revocations of the user: %v", list)
		}
		b.is(b.Sessions().Create(b.ctx, newSession(a.ID), "second"), jotgate.ErrNotFound)
		if b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(false)}) == nil {
			t.Error("a deactivation without a time was accepted")
		}

		// Giving up a name revokes that name; keeping it revokes nothing.
		named := b.account()
		b.must(b.Accounts().Change(b.ctx, named.ID, record.Change{Username: new("new-" + named.Username), At: at}))
		b.must(b.Accounts().Change(b.ctx, named.ID, record.Change{Username: new("new-" + named.Username), At: at}))
		if list := b.revoked("", ""); len(list) != 1 || list[0].Username != named.Username || !list[0].NotBefore.Equal(at) {
			t.Errorf("revocations of the name: %v", list)
		}

		// A refused change ends no session.
		a = b.account()
		live := b.session(a.ID)
		b.is(b.Accounts().Change(b.ctx, a.ID, record.Change{
			Password: new("x"), IfPassword: new("wrong"), EndSessions: record.EndedByPassword, At: at,
		}), jotgate.ErrNotFound)
		if row := b.find(live.ID); !row.Ended.IsZero() {
			t.Errorf("a refused change ended a session: %q", row.EndReason)
		}
	}},
	{"delete accounts", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		session := b.session(a.ID)
		b.must(b.Accounts().Delete(b.ctx, a.ID))
		_, err := b.Accounts().ByID(b.ctx, a.ID)
		b.is(err, jotgate.ErrNotFound)
		b.is(b.Accounts().Delete(b.ctx, a.ID), jotgate.ErrNotFound)
		b.is(b.Accounts().Delete(b.ctx, "x"), jotgate.ErrNotFound)
		if row := b.find(session.ID); row.EndReason != record.EndedByAccount {
			t.Errorf("its session: %q", row.EndReason)
		}
		if len(b.revoked(session.ID, "")) != 1 {
			t.Error("no revocation of the session")
		}
		if list := b.revoked("", a.ID); len(list) != 1 || list[0].Username != a.Username {
			t.Errorf("revocations of the user: %v", list)
		}
		_, err = b.Sessions().Rotate(b.ctx, rotation(session))
		b.is(err, jotgate.ErrNoAccountForToken)
		_, _, err = b.Accounts().Grants(b.ctx, a.ID)
		b.is(err, jotgate.ErrNotFound)
	}},
}

// notIDs returns texts that differ from a valid id in one respect each.
func notIDs(id record.UserID) []record.UserID {
	return []record.UserID{
		"", "0" + id, "+" + id, " " + id, id + " ", id + "\x00", "-1", "0", id + ".0", "1e0", "x",
		"99999999999", "9223372036854775807", "9223372036854775808", "1" + record.UserID(strings.Repeat("0", 30)),
		"00000000-0000-4000-8000-000000000000", "'" + id,
	}
}

func byEmail(b *bench, want ...record.UserID) {
	b.Helper()
	for _, email := range []string{"ada@example.com", "ADA@EXAMPLE.COM"} {
		list, err := b.Accounts().ByEmail(b.ctx, email)
		b.must(err)
		if d := cmp.Diff(want, ids(list)); d != "" {
			b.Errorf("by e-mail %s (-want +got):\n%s", email, d)
		}
	}
	for _, email := range []string{"", "%", "ada@example_com", "ada@example.com\x00", "ada@example.co"} {
		list, err := b.Accounts().ByEmail(b.ctx, email)
		b.must(err)
		if len(list) != 0 {
			b.Errorf("by e-mail %q: %d accounts", email, len(list))
		}
	}
}

func pages(b *bench, want ...record.UserID) {
	b.Helper()
	var got []record.UserID
	for after := record.UserID(""); ; {
		list, err := b.Accounts().List(b.ctx, after, 1)
		b.must(err)
		if len(list) == 0 {
			break
		}
		got = append(got, ids(list)...)
		after = list[len(list)-1].ID
	}
	if d := cmp.Diff(want, got); d != "" {
		b.Errorf("pages of one (-want +got):\n%s", d)
	}
}

func ids(list []*record.Account) (ids []record.UserID) {
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

// racingNames checks that one of many accounts that want a name gets it.
func racingNames(b *bench) {
	b.Helper()
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() { errs[i] = b.Accounts().Create(b.ctx, &record.Account{Username: "wanted", Password: "x"}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.is(err, jotgate.ErrTaken)
	}
	if won != 1 {
		b.Errorf("%d accounts have the same name", won)
	}
}

// oneReset checks that one of many changes conditional on the same password
// is made.
func oneReset(b *bench, id record.UserID) {
	b.Helper()
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			errs[i] = b.Accounts().Change(b.ctx, id, record.Change{Password: new("third"), IfPassword: new("second")})
		})
	}
	wg.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
			continue
		}
		b.is(err, jotgate.ErrNotFound)
	}
	if made != 1 {
		b.Errorf("%d changes were made on condition of the same password", made)
	}
}
