package store_test

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// An account whose time is over is deleted once, and never if it is in use again:
// restored, activated by Django, or logged in.
func TestDueDeletions(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		const day = 24 * time.Hour
		var ids []record.UserID
		for i, name := range []string{"due", "later", "django", "login", "restored", "banned"} {
			a := &record.Account{Username: name, Email: name + "@example.com", Password: "first", IsActive: true}
			w.must(s.Accounts().Create(w.ctx, a))
			ids = append(ids, a.ID)
			p := record.Pending{Purpose: record.PendingDeletion, Email: a.Email, Nonce: "n", Created: noon, Expires: noon.Add(7 * day)}
			if i == 1 {
				p.Expires = noon.Add(30 * day)
			}
			w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsActive: new(false), IfActive: new(true), At: noon, Await: []record.Pending{p}}))
		}
		active := "true"
		if w.name == "sqlite" {
			active = "1"
		}
		w.exec("UPDATE auth_user SET is_active = " + active + " WHERE username = 'django'")
		w.must(s.Events().Add(w.ctx, record.Event{Name: "login", Outcome: "success", User: ids[3], Time: noon.Add(time.Hour), Count: 1}))
		for _, i := range []int{4, 5} { // each change of is_active drops the row
			w.must(s.Accounts().Change(w.ctx, ids[i], record.Change{IsActive: new(i == 4), At: noon}))
		}

		if due, err := s.DueDeletions(w.ctx, noon.Add(7*day-1), "", 10); err != nil || len(due) != 0 {
			t.Fatalf("too early: %v %v", due, err)
		}
		due, err := s.DueDeletions(w.ctx, noon.Add(7*day), "", 10)
		w.must(err)
		if len(due) != 3 || due[0].User != ids[0] || due[1].User != ids[2] || due[2].User != ids[3] {
			t.Fatalf("%v", due)
		}
		if rest, err := s.DueDeletions(w.ctx, noon.Add(7*day), ids[0], 1); err != nil || len(rest) != 1 || rest[0].User != ids[2] {
			t.Errorf("the next page: %v %v", rest, err)
		}
		for i, want := range []bool{true, false, false} {
			if done, err := s.DeleteDue(w.ctx, due[i]); err != nil || done != want {
				t.Errorf("%v: %v %v, want %v", due[i].User, done, err, want)
			}
		}
		if done, err := s.DeleteDue(w.ctx, due[0]); done || err != nil {
			t.Errorf("a second time: %v %v", done, err)
		}
		for i, id := range ids {
			if _, err := s.Accounts().ByID(w.ctx, id); (err == nil) != (i != 0) {
				t.Errorf("account %d: %v", i, err)
			}
		}
		if due, err := s.DueDeletions(w.ctx, noon.Add(365*day), "", 10); err != nil || len(due) != 1 || due[0].User != ids[1] {
			t.Errorf("what is left: %v %v", due, err)
		}
	})
}
