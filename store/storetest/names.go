// The parts about similar usernames.

package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

var namesParts = []part{
	{"similar names", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		boss := b.named("boss")
		for _, name := range []string{"Boss", "BOSS", "bоss", "ｂoss", "b0ss", "BО\u0405Ѕ"} {
			b.similar(b.Names().Check(b.ctx, name, ""))
			b.similar(b.Accounts().Create(b.ctx, &record.Account{Username: name, Password: "p"}))
			b.similar(b.Addresses().SignUp(b.ctx, &record.Account{Username: name, Password: "p"}, nil))
			b.must(b.Names().Check(b.ctx, name, boss.ID))
		}
		b.is(b.Names().Check(b.ctx, "boss", ""), jotgate.ErrTaken)
		if err := b.Names().Check(b.ctx, "boss", ""); errors.Is(err, record.ErrSimilarName) {
			t.Errorf("the name itself: %v", err)
		}
		b.must(b.Names().Check(b.ctx, "bass", ""))
		other := b.named("other")
		b.similar(b.Accounts().Change(b.ctx, other.ID, record.Change{Username: new("Boss")}))
		if a, err := b.Accounts().ByID(b.ctx, other.ID); err != nil || a.Username != "other" {
			t.Errorf("after a rejected change: %+v, %v", a, err)
		}
		b.similar(b.Names().Check(b.ctx, "Other", boss.ID)) // the rejected change has not given it up
	}},
	{"names that are given up", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.named("Ian")
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Username: new("ian")})) // similar to its own
		b.must(b.Names().Check(b.ctx, "lan", ""))
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Username: new("Ian")}))
		b.similar(b.Names().Check(b.ctx, "lan", ""))
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Username: new("john")}))
		b.named("lan")
		b.must(b.Accounts().Delete(b.ctx, a.ID))
		b.named("JOHN")
	}},
	// Of concurrent sign-ups and changes whose names are similar, one wins.
	{"racing similar names", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		spellings := []string{"wanted", "Wanted", "WANTED", "wаnted", "wantеd", "ｗanted"}
		for range 5 {
			var wg sync.WaitGroup
			errs := make([]error, 2*len(spellings))
			accounts := make([]*record.Account, len(errs))
			for i, name := range spellings {
				accounts[i] = b.account()
				wg.Go(func() { errs[i] = b.Accounts().Change(b.ctx, accounts[i].ID, record.Change{Username: &name}) })
				j := i + len(spellings)
				accounts[j] = &record.Account{Username: name, Password: "p"}
				wg.Go(func() { errs[j] = b.Addresses().SignUp(b.ctx, accounts[j], nil) })
			}
			wg.Wait()
			var winner *record.Account
			for i, err := range errs {
				if err != nil {
					b.is(err, jotgate.ErrTaken)
					continue
				}
				if winner != nil {
					t.Fatalf("two accounts have similar names: %v", errs)
				}
				winner = accounts[i]
			}
			if winner == nil {
				t.Fatalf("no account has the name: %v", errs)
			}
			b.must(b.Accounts().Delete(b.ctx, winner.ID))
		}
	}},
}

// named creates an account.
func (b *bench) named(name string) *record.Account {
	b.Helper()
	a := &record.Account{Username: name, Password: "p"}
	b.must(b.Accounts().Create(b.ctx, a))
	return a
}

// similar fails the test unless err says that a name is similar to another.
func (b *bench) similar(err error) {
	b.Helper()
	if !errors.Is(err, jotgate.ErrTaken) || !errors.Is(err, record.ErrSimilarName) {
		b.Fatalf("error: %v", err)
	}
}
