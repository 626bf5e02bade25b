// Addresses and pending changes: the contract of record.Addresses.

package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var addressesParts = []part{
	{"verified addresses", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		unlisted := b.account()
		b.verified(unlisted.ID, unlisted.Email, false, false)
		a := b.signUp("Ada@Example.com", nil)
		b.verified(a.ID, "ADA@example.com", false, true)
		b.verified(a.ID, "other@example.com", false, true)
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{VerifyEmail: true}))
		b.verified(a.ID, "ada@example.com", true, true)

		// Another owner of the same address stays unverified until the first
		// one gives it up.
		other := b.signUp("ada@example.com", nil)
		b.must(b.Accounts().Change(b.ctx, other.ID, record.Change{VerifyEmail: true}))
		b.verified(other.ID, "ada@example.com", false, true)
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Email: new("new@example.com")}))
		b.verified(a.ID, "new@example.com", false, true)
		b.verified(a.ID, "ada@example.com", false, true)
		b.must(b.Accounts().Change(b.ctx, other.ID, record.Change{VerifyEmail: true}))
		b.verified(other.ID, "ada@example.com", true, true)
		b.must(b.Accounts().Delete(b.ctx, other.ID))
		b.verified(other.ID, "ada@example.com", false, false)
		b.verified("x", "ada@example.com", false, false)
	}},
	{"verified accounts come first", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		otherUser, unlisted, owner := b.signUp("o@example.com", nil), b.account(), b.signUp("O@example.com", nil)
		b.must(b.Accounts().Change(b.ctx, owner.ID, record.Change{VerifyEmail: true}))
		b.must(b.Accounts().Create(b.ctx, &record.Account{Username: "late", Email: "o@EXAMPLE.com", Password: "p"}))
		late, err := b.Accounts().ByLogin(b.ctx, "late")
		b.must(err)
		list, err := b.Accounts().ByEmail(b.ctx, "o@example.com")
		b.must(err)
		var ids []record.UserID
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		if want := []record.UserID{owner.ID, late.ID, otherUser.ID}; !slices.Equal(ids, want) || unlisted.ID == "" {
			t.Errorf("%v, want %v", ids, want)
		}
	}},
	{"pending rows", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		first := record.Pending{Purpose: record.PendingActivation, Email: "a@example.com", Nonce: "n1", Created: start}
		a := b.signUp("a@example.com", &first)
		first.User = a.ID
		b.pending(a.ID, first)
		again := first
		again.Nonce, again.Created = "n2", start.Add(time.Second)
		b.must(b.Addresses().AddPending(b.ctx, again))
		b.pending(a.ID, again)

		yes := true
		b.is(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: &yes, Settle: []record.Pending{first}}), jotgate.ErrNotFound)
		if got, err := b.Accounts().ByID(b.ctx, a.ID); err != nil || got.IsActive {
			t.Errorf("changed by a link of before: %+v %v", got, err)
		}
		var won atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: &yes, Settle: []record.Pending{again}, VerifyEmail: true}) == nil {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("%d of 8 settled one row", won.Load())
		}
		b.pending(a.ID)
	}},
	{"deactivation ends the wait for activation", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		row := record.Pending{Purpose: record.PendingActivation, Email: "a@example.com", Nonce: "n", Created: start}
		no := false
		a := b.signUp("a@example.com", &row)
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: &no, At: start}))
		b.pending(a.ID)
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: &no, At: start, Await: []record.Pending{row}}))
		row.User = a.ID
		b.pending(a.ID, row)
		// A login shows that Django has activated the account.
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(true)}))
		b.must(b.Sessions().Create(b.ctx, newSession(a.ID), "first"))
		b.pending(a.ID)
	}},
	{"undoing ends later changes", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		row := func(n int, purpose record.Purpose) record.Pending {
			return record.Pending{User: a.ID, Purpose: purpose, Email: fmt.Sprint(n, "@example.com"), Nonce: "n", Created: start.Add(time.Duration(n) * time.Microsecond), Expires: start.Add(time.Hour)}
		}
		for n := range 3 {
			b.must(b.Addresses().AddPending(b.ctx, row(10*n, record.PendingEmailUndo)))
			b.must(b.Addresses().AddPending(b.ctx, row(n, record.PendingEmailChange)))
		}
		b.pending(a.ID, row(2, record.PendingEmailChange))
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Settle: []record.Pending{row(10, record.PendingEmailUndo)}, Forget: []record.Purpose{record.PendingEmailChange}}))
		left, err := b.Addresses().Pending(b.ctx, a.ID, record.PendingEmailUndo)
		if d := cmp.Diff([]record.Pending{row(0, record.PendingEmailUndo)}, left); d != "" || err != nil {
			t.Errorf("%v %s", err, d)
		}
		b.pending(a.ID)
		if n, err := b.Sessions().Purge(b.ctx, start.Add(time.Hour), start, 10); n != 0 || err != nil {
			t.Errorf("purged before the end: %d %v", n, err)
		}
		if n, err := b.Sessions().Purge(b.ctx, start.Add(time.Hour+time.Microsecond), start, 10); n != 1 || err != nil {
			t.Errorf("purged: %d %v", n, err)
		}
	}},
	{"budgets", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		spend := func(want bool, now time.Time, keys ...string) {
			t.Helper()
			if ok, err := b.Addresses().Spend(b.ctx, keys, 2, now, time.Hour); ok != want || err != nil {
				t.Errorf("%v at %v: %v %v, want %v", keys, now, ok, err, want)
			}
		}
		spend(true, start, "one", "two")
		spend(true, start, "one")
		spend(false, start, "one", "two") // and "two" is not counted
		spend(true, start, "two")
		spend(false, start.Add(time.Hour-time.Microsecond), "one")
		spend(true, start.Add(time.Hour), "one", "two")
		var won atomic.Int64
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if ok, err := b.Addresses().Spend(b.ctx, []string{"many", "more"}, 5, start, time.Hour); err == nil && ok {
					won.Add(1)
				}
			})
		}
		all.Wait()
		if won.Load() != 5 {
			t.Errorf("%d of 20 within a limit of 5", won.Load())
		}
	}},
}

// signUp creates an account with an unverified address.
func (b *bench) signUp(email string, await *record.Pending) *record.Account {
	b.Helper()
	a := b.account()
	b.must(b.Accounts().Delete(b.ctx, a.ID))
	a.ID, a.Email, a.IsActive = "", email, await == nil
	b.must(b.Addresses().SignUp(b.ctx, a, await))
	return a
}

func (b *bench) verified(id record.UserID, email string, verified, listed bool) {
	b.Helper()
	v, l, err := b.Addresses().Verified(b.ctx, id, email)
	if v != verified || l != listed || err != nil {
		b.Errorf("%s of %s: verified %v, listed %v, %v; want %v, %v", email, id, v, l, err, verified, listed)
	}
}

// pending compares the user's rows that wait for an activation or a change.
func (b *bench) pending(id record.UserID, want ...record.Pending) {
	b.Helper()
	activation, err := b.Addresses().Pending(b.ctx, id, record.PendingActivation)
	b.must(err)
	change, err := b.Addresses().Pending(b.ctx, id, record.PendingEmailChange)
	b.must(err)
	if d := cmp.Diff(want, append(activation, change...)); d != "" {
		b.Errorf("pending (-want +got):\n%s", d)
	}
}
