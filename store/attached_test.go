package store_test

import (
	"testing"

	"github.com/jotgate/jotgate/record"
)

// A change that changes nothing has no event. TestEventsOfChanges of package jotgate and
// TestCommandsAreRecorded of cmd/jotgate show that the others are stored with theirs.
func TestNothingIsNoEvent(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		ada := w.account(s, "ada")
		a := &record.Attached{Events: []record.Event{{Name: "attached", Time: noon}}}
		if n, err := s.Sessions().End(a.To(w.ctx), record.Ending{ID: "one", Reason: record.EndedByUser, Now: noon}); n != 0 || err != nil || a.Stored {
			w.Errorf("%d %v %v", n, err, a)
		}
		missing, err := s.SocialAccounts().ChangeRights(a.To(w.ctx), ada.ID, []string{"none"}, nil, record.Change{IsStaff: new(true), At: noon})
		if err != nil || a.Stored || len(missing) != 1 || missing[0] != "none" || w.count("SELECT COUNT(*) FROM auth_user WHERE is_staff") != 0 {
			w.Errorf("a group that does not exist: %q %v %v", missing, err, a)
		}
		if ended, err := s.SocialAccounts().EndSocial(a.To(w.ctx), record.SocialUse{Provider: "p", Subject: "s", At: noon}, record.Spent{ID: "j", Expires: noon}); err != nil || len(ended) != 0 {
			w.Errorf("%d %v", len(ended), err)
		}
		if n := w.count("SELECT COUNT(*) FROM jotgate_event"); n != 0 {
			w.Errorf("%d events", n)
		}
	})
}
