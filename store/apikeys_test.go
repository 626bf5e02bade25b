package store_test

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

var keyMade = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// A key is read with its owner, whatever type the key of the user table has, and also if
// its owner was deleted.
func TestAPIKeyWithItsOwner(t *testing.T) {
	both(t, func(w *world) {
		tables := custom(w, "")
		for _, s := range []*store.Store{w.open(), w.openWith(tables)} {
			a := &record.Account{Username: "ada@example.com", Email: "ada@example.com", Password: "!", IsActive: true, DateJoined: keyMade}
			w.must(s.Accounts().Create(w.ctx, a))
			keys := s.APIKeys()
			created, err := apikey.Settings{}.NewKey(a.ID, apikey.Request{Name: "ci", Scopes: []string{"a"}}, keyMade)
			w.must(err)
			w.must(keys.Add(w.ctx, created.Key))
			want, err := s.Accounts().ByID(w.ctx, a.ID)
			w.must(err)
			found, err := keys.Find(w.ctx, created.ID)
			w.must(err)
			if found.Owner == nil || found.Owner.ID != a.ID || found.Owner.Username != want.Username || found.Owner.IsActive != want.IsActive {
				t.Errorf("the owner of the key is %+v, want %+v", found.Owner, want)
			}
			other := created.Key
			other.ID = created.ID + "x"
			other.User = map[bool]record.UserID{true: "00000000-0000-4000-8000-000000000000", false: "999"}[len(a.ID) == 36]
			w.must(keys.Add(w.ctx, other))
			if found, err = keys.Find(w.ctx, other.ID); err != nil || found.Owner != nil {
				t.Errorf("a key without an owner: %+v, %v", found, err)
			}
			w.must(s.Close())
		}
	})
}
