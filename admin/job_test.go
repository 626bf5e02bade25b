package admin_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// slowStore is a database in which it takes long to find a user, and which notes how
// many users each transaction finds.
type slowStore struct {
	*store.Store
	found []int
}

func (s *slowStore) Admin() adminstore.Store { return slowAdmin{s.Store.Admin(), s} }

type slowAdmin struct {
	adminstore.Store
	db *slowStore
}

func (ad slowAdmin) Change(ctx context.Context, do func(context.Context, adminstore.Tx) error) error {
	n := 0
	err := ad.Store.Change(ctx, func(ctx context.Context, tx adminstore.Tx) error {
		n = 0
		tx.Users = slowUsers{tx.Users, &n}
		return do(ctx, tx)
	})
	ad.db.found = append(ad.db.found, n)
	return err
}

type slowUsers struct {
	adminstore.UserTx
	n *int
}

func (u slowUsers) Find(ctx context.Context, id record.UserID) (*adminstore.User, error) {
	*u.n++
	time.Sleep(5 * time.Millisecond)
	return u.UserTx.Find(ctx, id)
}

// A transaction of a job ends after a time, not after a number of users: among users
// who take long, each has one, forward and back.
func TestSlicesEndInTime(t *testing.T) {
	db := &slowStore{Store: jotgatetest.New(t).Store().(*store.Store)}
	for _, name := range []string{"ada", "grace", "edsger"} {
		if err := db.Accounts().Create(t.Context(), &record.Account{Username: name, Password: "!", IsActive: true}); err != nil {
			t.Fatal(err)
		}
	}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: "0123456789abcdefghijklmnopqrstuvwxyz-slow", Logger: slog.New(slog.DiscardHandler)}, db)
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.NewActions(gate, admin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Act(t.Context(), a.Operator(), "job.start", "", admin.Fields{"action": {"user.deactivate"}, "all": {"true"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, undo := range []bool{false, true} {
		if undo {
			if _, err := a.Act(t.Context(), a.Operator(), "job.undo", result.Target, nil); err != nil {
				t.Fatal(err)
			}
		}
		db.found = nil
		a.Work(t.Context())
		if want := []int{1, 1, 1, 0}; !slices.Equal(db.found, want) {
			t.Errorf("the transactions had %v users, want %v (undo: %v)", db.found, want, undo)
		}
	}
}
