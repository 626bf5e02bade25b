// Sessions of the login pages: the contract of record.PageSessions.

package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var pagesParts = []part{
	{"session with account", func(t *testing.T, s record.Store) {
		pages, ok := s.Sessions().(record.PageSessions)
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
	{"account with related rows", func(t *testing.T, s record.Store) {
		pages, ok := s.Sessions().(record.PageSessions)
		if !ok || s.Factors() == nil || s.SocialAccounts() == nil {
			return
		}
		b := newBench(t, s)
		full, other, bare := b.account(), b.account(), b.account()
		session := b.session(full.ID)
		for _, a := range []*record.Account{full, other} {
			b.enrol(a.ID, record.FactorTOTP)
			used := newFactor(record.FactorPasskey)
			used.LastUsed = start.Add(time.Minute)
			b.must(b.Factors().ChangeFactors(b.ctx, record.FactorChange{User: a.ID, Add: []*record.Factor{used, newFactor(record.FactorRecovery)}}))
			b.connect(a.ID)
			b.connect(a.ID)
			for i, purpose := range []record.Purpose{record.PendingEmailChange, record.PendingEmailUndo, record.PendingEmailUndo, record.PendingDeletion, record.PendingActivation} {
				b.must(b.Addresses().AddPending(b.ctx, record.Pending{
					User: a.ID, Purpose: purpose, Email: fmt.Sprintf("%d@example.com", i), Nonce: fmt.Sprint(i), Created: start.Add(time.Duration(i) * time.Second), Expires: start.Add(time.Hour),
				}))
			}
		}
		_, err := b.Sessions().End(b.ctx, record.Ending{User: full.ID, Except: session.ID, Reason: record.EndedByLogout, Now: start.Add(time.Hour)})
		b.must(err)
		b.must(b.Accounts().Change(b.ctx, full.ID, record.Change{VerifyEmail: true}))
		_, err = b.Factors().PinSetting(b.ctx, record.PinnedRPID, "example.com")
		b.must(err)
		for _, a := range []*record.Account{full, other, bare} {
			got, err := pages.AccountWithRelated(b.ctx, a.ID)
			b.must(err)
			b.related(a.ID, got)
		}
		_, got, err := pages.SessionWithAccount(b.ctx, session.ID, full.ID)
		b.must(err)
		b.related(full.ID, got)
		if r := got.Related; len(r.Factors) != 3 || len(r.Social) != 2 || len(r.Pending) < 3 || !r.Verified || r.NotBefore.IsZero() || r.RPID == "" {
			t.Errorf("%+v", r)
		}
		_, err = pages.AccountWithRelated(b.ctx, "no key")
		b.is(err, jotgate.ErrNotFound)
	}},
}

// related fails the test unless the account and its Related are what the methods that
// read one of them return.
func (b *bench) related(id record.UserID, got *record.Account) {
	b.Helper()
	want, err := b.Accounts().ByID(b.ctx, id)
	b.must(err)
	r := &record.Related{Email: want.Email}
	r.Factors, err = b.Factors().ListFactors(b.ctx, id)
	b.must(err)
	r.Social, err = b.social().ListSocial(b.ctx, id)
	b.must(err)
	r.Verified, r.Listed, err = b.Addresses().Verified(b.ctx, id, want.Email)
	b.must(err)
	r.NotBefore, err = b.Sessions().NotBefore(b.ctx, id, "")
	b.must(err)
	r.RPID, err = b.Factors().Setting(b.ctx, record.PinnedRPID)
	b.must(err)
	byPurpose := map[record.Purpose][]record.Pending{}
	for _, p := range got.Related.Pending {
		byPurpose[p.Purpose] = append(byPurpose[p.Purpose], p)
	}
	for _, purpose := range []record.Purpose{record.PendingActivation, record.PendingEmailChange, record.PendingEmailUndo, record.PendingUnverified, record.PendingDeletion} {
		list, err := b.Addresses().Pending(b.ctx, id, purpose)
		b.must(err)
		if d := cmp.Diff(list, byPurpose[purpose], cmpopts.EquateEmpty()); d != "" {
			b.Errorf("pending %s (-want +got):\n%s", purpose, d)
		}
	}
	r.Pending = got.Related.Pending
	want.Related = r
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		b.Errorf("account (-want +got):\n%s", d)
	}
}
