package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// A session in which somebody acts for a user is not extended by a refresh, its events
// name both, and it ends with the session of the actor.
func TestImpersonation(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		root, alice := w.account(s, "root"), w.account(s, "alice")
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		session := func(id string, user *record.Account) *record.Session {
			return &record.Session{ID: id, User: user.ID, JTI: id + "j", Created: now, LastSeen: now, Rotated: now, Expires: now.Add(15 * time.Minute)}
		}
		const own, acting, byCommand, other = "0000000000000000000000000000000a", "0000000000000000000000000000000b", "0000000000000000000000000000000c", "0000000000000000000000000000000d"
		w.must(s.Sessions().Create(w.ctx, session(own, root), root.Password))
		w.must(s.Sessions().Create(w.ctx, session(other, alice), alice.Password))
		for id, by := range map[string]string{acting: own, byCommand: ""} {
			i := session(id, alice)
			i.Actor, i.ActorSession = root.ID, by
			w.must(s.Admin().Change(w.ctx, func(ctx context.Context, tx adminstore.Tx) error { return tx.Users.Impersonate(ctx, i) }))
		}
		got, err := s.Sessions().Find(w.ctx, acting)
		w.must(err)
		if got.Actor != root.ID || got.ActorSession != own || got.User != alice.ID {
			t.Errorf("%+v", got)
		}
		rotated, err := s.Sessions().Rotate(w.ctx, record.Rotation{
			Session: acting, User: alice.ID, Presented: acting + "j", Next: "next", Now: now.Add(time.Minute), Expires: now.Add(30 * 24 * time.Hour),
		})
		w.must(err)
		if !rotated.Session.Expires.Equal(got.Expires) || rotated.Session.Actor != root.ID {
			t.Errorf("a refresh changed the session to %+v", rotated.Session)
		}
		w.must(s.Events().Add(w.ctx, record.Event{Time: now, Name: "reuse", User: alice.ID, Session: acting}))
		w.must(s.Events().Add(w.ctx, record.Event{Time: now, Name: "reuse", User: alice.ID, Session: other}))
		list, err := s.Events().List(w.ctx, alice.ID, 0, 2)
		w.must(err)
		if list[0].Actor != "" || list[1].Actor != root.ID {
			t.Errorf("events: %+v", list)
		}

		n, err := s.Sessions().End(w.ctx, record.Ending{ID: own, User: root.ID, Reason: record.EndedByLogout, Now: now})
		w.must(err)
		for id, want := range map[string]record.EndReason{own: record.EndedByLogout, acting: record.EndedByActor, byCommand: "", other: ""} {
			if got, err := s.Sessions().Find(w.ctx, id); err != nil || got.EndReason != want || n != 1 {
				t.Errorf("after the logout, %s: %q, %v; %d ended", id, got.EndReason, err, n)
			}
		}
		_, err = s.Sessions().End(w.ctx, record.Ending{User: root.ID, Reason: record.EndedByUser, Now: now})
		w.must(err)
		if got, err := s.Sessions().Find(w.ctx, byCommand); err != nil || got.EndReason != record.EndedByActor {
			t.Errorf("after all sessions: %q, %v", got.EndReason, err)
		}
		if got, err := s.Sessions().Find(w.ctx, other); err != nil || !got.Ended.IsZero() {
			t.Errorf("the user's own session: %q, %v", got.EndReason, err)
		}
	})
}
