package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// populate inserts accounts as Django does: user0, user1, … and, as the last, "boss".
func populate(w *world, n int) {
	w.Helper()
	numbers := w.on("WITH RECURSIVE g(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM g WHERE i < %d) SELECT i FROM g", "SELECT i FROM generate_series(0, %d) AS g(i)")
	w.exec("INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined) SELECT 'p', false, 'user' || i, '', '', '', false, true, '2020-01-02 03:04:05' FROM (" +
		fmt.Sprintf(numbers, n-1) + ") AS g")
	django(w, "boss")
}

// A burst of new names at two nodes right after the first start beside a large user
// table: none is rejected because names are being indexed, none gets a name similar
// to one that the index has not reached, and of two similar new ones one is created.
func TestNewNamesBeforeTheIndex(t *testing.T) {
	newNames(t, func(*world, []*store.Store) {})
}

// The same if the accounts are inserted after the index was finished, as by Django's
// loaddata. A request indexes no more accounts than usual: with all of them in it, it
// would last longer than its deadline.
func TestNewNamesAfterAnImport(t *testing.T) {
	newNames(t, func(w *world, nodes []*store.Store) {
		for _, s := range nodes {
			w.must(s.Names().Index(w.ctx))
		}
	})
}

func newNames(t *testing.T, before func(*world, []*store.Store)) {
	both(t, func(w *world) {
		nodes := []*store.Store{w.open(), w.open()}
		before(w, nodes)
		populate(w, 5_000) // more than the pages of the index that a request makes
		w.must(nodes[0].Names().Check(w.ctx, "somebody else", ""))
		if n := w.count("SELECT COUNT(*) FROM jotgate_name"); n > 2*4*500 {
			t.Errorf("a request made the rows of %d names", n)
		}
		creates := map[string]func(s *store.Store, name string) error{
			"create": func(s *store.Store, name string) error {
				return s.Accounts().Create(w.ctx, &record.Account{Username: name, Password: "p"})
			},
			"sign-up": func(s *store.Store, name string) error {
				return s.Addresses().SignUp(w.ctx, &record.Account{Username: name, Password: "p", Email: name + "@example.com"}, nil)
			},
			"provider": func(s *store.Store, name string) error {
				account := &record.SocialAccount{Provider: "other", UID: name, Data: "{}", Joined: noon, LastLogin: noon}
				return s.SocialAccounts().SignUpSocial(w.ctx, &record.Account{Username: name, Password: "p", Email: name + "@example.com"}, account, true, nil)
			},
			"admin": func(s *store.Store, name string) error {
				return s.Admin().Change(w.ctx, func(ctx context.Context, tx adminstore.Tx) error {
					return tx.Users.Create(ctx, &record.Account{Username: name, Password: "p"})
				})
			},
			"check": func(s *store.Store, name string) error { return s.Names().Check(w.ctx, name, "") },
		}
		var wait sync.WaitGroup
		for i := range 2 {
			for way, create := range creates {
				for node, s := range nodes {
					wait.Go(func() {
						if err := create(s, fmt.Sprintf("new-%s-%d-%d", way, node, i)); err != nil {
							t.Errorf("%s of a new name: %v", way, err)
						}
						if err := create(s, "Boss"); !errors.Is(err, jotgate.ErrTaken) || !errors.Is(err, record.ErrSimilarName) {
							t.Errorf("%s of a similar name: %v", way, err)
						}
					})
				}
			}
		}
		wait.Wait()
		if n := w.count("SELECT COUNT(*) FROM auth_user WHERE username LIKE 'new-%'"); n != 16 {
			t.Errorf("%d of 16 accounts", n)
		}
		for _, s := range nodes {
			w.must(s.Names().Index(w.ctx))
			similar(w, s, "Boss")
			similar(w, s, "NEW-create-0-0")
		}
	})
}

// The same for a change of name, also to a spelling of one's own.
func TestRenameBeforeTheIndex(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		populate(w, 5_000)
		boss, err := s.Accounts().ByLogin(w.ctx, "boss")
		w.must(err)
		other, err := s.Accounts().ByLogin(w.ctx, "user4999")
		w.must(err)
		rename := func(id record.UserID, name string) error {
			return s.Accounts().Change(w.ctx, id, record.Change{Username: &name, At: other.DateJoined})
		}
		if err := rename(other.ID, "Boss"); !errors.Is(err, jotgate.ErrTaken) {
			t.Errorf("to a similar name: %v", err)
		}
		w.must(rename(boss.ID, "BOSS"))
		w.must(rename(other.ID, "fresh"))
		similar(w, s, "bOss")
		similar(w, s, "Fresh")
	})
}
