package store_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// An invitation is found by id and by address until it expires, there is one for an
// address, and it is accepted once, with the nonce that it has.
func TestInvitations(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		editors, err := s.Groups().Create(w.ctx, "editors")
		w.must(err)
		now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
		system := func(do func(ctx context.Context, tx adminstore.SystemTx) error) error {
			return s.Admin().Change(w.ctx, func(ctx context.Context, tx adminstore.Tx) error { return do(ctx, tx.System) })
		}
		add := func(email string) (record.Invitation, error) {
			i := record.Invitation{Email: email, Groups: []int64{editors.ID, 99}, By: "1", Nonce: "n", Created: now, Expires: now.Add(time.Hour)}
			return i, system(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.AddInvitation(ctx, &i) })
		}
		ada, err := add("ada@example.com")
		w.must(err)
		bob, err := add("bob@example.com")
		w.must(err)
		if _, err := add("ada@example.com"); jotgate.AsError(err).Status != 400 {
			t.Error("a second one for an address:", err)
		}
		invitations := s.Addresses().(record.Invitations)
		for _, found := range []func(time.Time) (*record.Invitation, error){
			func(at time.Time) (*record.Invitation, error) {
				return invitations.FindInvitation(w.ctx, ada.ID, "", at)
			},
			func(at time.Time) (*record.Invitation, error) {
				return invitations.FindInvitation(w.ctx, 0, "ada@example.com", at)
			},
		} {
			if i, err := found(now.Add(time.Hour - time.Second)); err != nil || i.ID != ada.ID || i.Nonce != "n" || !slices.Equal(i.Groups, ada.Groups) || !i.Expires.Equal(ada.Expires) {
				t.Error(i, err)
			}
			if _, err := found(now.Add(time.Hour)); !errors.Is(err, jotgate.ErrNotFound) {
				t.Error("expired:", err)
			}
		}
		accept := func(i record.Invitation, name string) error {
			return invitations.AcceptInvitation(w.ctx, &i, &record.Account{Username: name, Email: i.Email, Password: "x", IsActive: true}, now)
		}
		stale := ada
		stale.Nonce = "another"
		if err := accept(stale, "ada"); !errors.Is(err, jotgate.ErrNotFound) {
			t.Error("a replaced link:", err)
		}
		w.account(s, "taken")
		if err := accept(ada, "taken"); !errors.Is(err, jotgate.ErrTaken) {
			t.Error("a taken name:", err)
		}
		w.must(accept(ada, "ada"))
		if err := accept(ada, "eve"); !errors.Is(err, jotgate.ErrNotFound) {
			t.Error("a second time:", err)
		}
		a, err := s.Accounts().ByLogin(w.ctx, "ada")
		w.must(err)
		groups, _, err := s.Accounts().Grants(w.ctx, a.ID)
		w.must(err)
		if len(groups) != 1 || groups[0].Name != "editors" {
			t.Error(groups)
		}
		if n := w.count("SELECT COUNT(*) FROM jotgate_pending WHERE purpose = 'unverified' AND user_id = '" + string(a.ID) + "'"); n != 0 {
			t.Error("the address is not verified")
		}

		list, err := s.Admin().Invitations(w.ctx, 0, 10)
		w.must(err)
		if len(list) != 1 || list[0].Email != "bob@example.com" {
			t.Errorf("%+v", list)
		}
		w.must(system(func(ctx context.Context, tx adminstore.SystemTx) error {
			bob.Nonce, bob.Expires = "m", now.Add(2*time.Hour)
			return tx.RenewInvitation(ctx, &bob)
		}))
		if i, err := invitations.FindInvitation(w.ctx, bob.ID, "", now.Add(time.Hour)); err != nil || i.Nonce != "m" {
			t.Error(i, err)
		}
		w.must(system(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.DropInvitation(ctx, bob.ID) }))
		if list, err := s.Admin().Invitations(w.ctx, 0, 10); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}
