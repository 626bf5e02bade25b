package storetest

import (
	"errors"
	"net/netip"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/record"
)

// hasAPIKeys is a store that keeps API keys, too.
type hasAPIKeys interface{ APIKeys() apikey.Store }

var apiKeyParts = []part{
	{"api keys", withAPIKeys(apiKeyRows)},
	{"api keys of one account", withAPIKeys(apiKeyLimit)},
	{"rotation of api keys", withAPIKeys(apiKeyRotation)},
	{"expiry of api keys", withAPIKeys(apiKeyExpiry)},
	{"accounts that are reclaimed", withAPIKeys(apiKeyReclaim)},
}

// withAPIKeys runs the part if the store keeps API keys.
func withAPIKeys(run func(b *bench, keys apikey.Store)) func(*testing.T, record.Store) {
	return func(t *testing.T, s record.Store) {
		if keys, ok := s.(hasAPIKeys); ok {
			run(newBench(t, s), keys.APIKeys())
		}
	}
}

func newAPIKey(id string, user record.UserID) apikey.Key {
	return apikey.Key{
		ID: id, Digest: "digest of " + id, User: user, Name: "naïve \"key\"", Scopes: []string{"orders:read", "a"},
		Networks: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")},
		Created:  start, Expires: start.Add(24 * time.Hour),
	}
}

// sameKey compares a stored key.
func (b *bench) sameKey(keys apikey.Store, want apikey.Key) {
	b.Helper()
	got, err := keys.Find(b.ctx, want.ID)
	b.must(err)
	b.sameOwner(got)
	if d := cmp.Diff(want, *got, cmp.Comparer(func(x, y netip.Prefix) bool { return x == y })); d != "" {
		b.Errorf("%s (-want +got):\n%s", want.ID, d)
	}
}

// sameOwner compares the owner of a stored key, and removes it.
func (b *bench) sameOwner(got *apikey.Key) {
	b.Helper()
	if got.Owner != nil {
		b.sameAccount(got.Owner)
	}
	got.Owner = nil
}

// sameAccount compares an account with the stored one.
func (b *bench) sameAccount(got *record.Account) {
	b.Helper()
	want, err := b.Accounts().ByID(b.ctx, got.ID)
	b.must(err)
	if d := cmp.Diff(want, got); d != "" {
		b.Errorf("the account %s (-want +got):\n%s", got.ID, d)
	}
}

func apiKeyRows(b *bench, keys apikey.Store) {
	owner, other := b.account().ID, b.account().ID
	one, forever := newAPIKey("one", owner), newAPIKey("forever", owner)
	forever.Expires, forever.Networks, forever.Created = time.Time{}, []netip.Prefix{}, start.Add(time.Second)
	for _, k := range []apikey.Key{one, forever, newAPIKey("of another", other)} {
		b.must(keys.Add(b.ctx, k))
	}
	b.is(keys.Add(b.ctx, newAPIKey("one", other)), jotgate.ErrTaken)
	b.sameKey(keys, one)
	b.sameKey(keys, forever)
	for _, id := range []string{"", "ONE", "none", "nul\x00", "\xff"} {
		_, err := keys.Find(b.ctx, id)
		b.is(err, jotgate.ErrNotFound)
	}
	list, err := keys.List(b.ctx, owner)
	b.must(err)
	if len(list) != 2 || list[0].ID != "forever" || list[1].ID != "one" {
		b.Errorf("newest first: %+v", list)
	}

	b.must(keys.Touch(b.ctx, []apikey.Use{{ID: "one", Time: start.Add(time.Minute), Address: "192.0.2.1"}, {ID: "none", Time: start}, {ID: "nul\x00", Time: start}}))
	b.must(keys.Touch(b.ctx, []apikey.Use{{ID: "one", Time: start, Address: "192.0.2.2"}})) // of a node that was slower
	one.Used, one.UsedAddress = start.Add(time.Minute), "192.0.2.1"
	b.sameKey(keys, one)

	imported := newAPIKey("imported", owner)
	imported.Digest = "pbkdf2_sha256$1$salt$hash"
	b.must(keys.Add(b.ctx, imported))
	b.must(keys.Touch(b.ctx, []apikey.Use{{ID: "imported", Time: start, Digest: "faster"}, {ID: "one", Time: start, Digest: "another"}}))
	b.must(keys.Touch(b.ctx, []apikey.Use{{ID: "imported", Time: start, Digest: "again"}}))
	imported.Digest, imported.Used = "faster", start
	b.sameKey(keys, imported)
	b.sameKey(keys, one)

	at := start.Add(time.Hour)
	b.is(keys.Revoke(b.ctx, other, "one", at), jotgate.ErrNotFound)
	if entries := b.revoked(one.Session(), ""); len(entries) != 0 {
		b.Error("the feed has a key that was not revoked")
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = keys.Revoke(b.ctx, owner, "one", at) })
	}
	wg.Wait()
	revoked := 0
	for _, err := range errs {
		if err == nil {
			revoked++
		} else {
			b.is(err, jotgate.ErrNotFound)
		}
	}
	if entries := b.revoked(one.Session(), ""); revoked != 1 || len(entries) != 1 {
		b.Errorf("revoked %d times, with %d entries in the feed", revoked, len(entries))
	}
	one.Revoked = at
	b.sameKey(keys, one)
	if list, err := keys.List(b.ctx, owner); err != nil || len(list) != 2 { // forever and imported
		b.Errorf("%d keys are listed, %v", len(list), err)
	}
	b.must(keys.Revoke(b.ctx, "", "of another", at))
	b.must(b.Accounts().Delete(b.ctx, owner))
	_, err = keys.Find(b.ctx, "forever")
	b.is(err, jotgate.ErrNotFound)
}

func apiKeyLimit(b *bench, keys apikey.Store) {
	owner := b.account().ID
	for i := range apikey.MaxKeys - 2 {
		b.must(keys.Add(b.ctx, newAPIKey(strconv.Itoa(i), owner)))
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = keys.Add(b.ctx, newAPIKey("late"+strconv.Itoa(i), owner)) })
	}
	wg.Wait()
	added := 0
	for _, err := range errs {
		if err == nil {
			added++
		} else {
			b.is(err, apikey.ErrLimit)
		}
	}
	if added != 2 {
		b.Errorf("%d keys were added, two were free", added)
	}
	b.must(keys.Add(b.ctx, newAPIKey("other", b.account().ID)))
	b.must(keys.Revoke(b.ctx, owner, "0", start))
	b.must(keys.Add(b.ctx, newAPIKey("in its place", owner)))
	later := newAPIKey("after the others expired", owner)
	later.Created, later.Expires = start.Add(25*time.Hour), start.Add(50*time.Hour)
	b.must(keys.Add(b.ctx, later))
}

func apiKeyRotation(b *bench, keys apikey.Store) {
	owner, other := b.account().ID, b.account().ID
	old := newAPIKey("old", owner)
	b.must(keys.Add(b.ctx, old))
	next := func(id string, user record.UserID) apikey.Key {
		k := newAPIKey(id, user)
		k.Created = start.Add(time.Minute)
		return k
	}
	until := start.Add(time.Hour)
	b.is(keys.Rotate(b.ctx, "old", next("theirs", other), until), jotgate.ErrNotFound)
	b.is(keys.Rotate(b.ctx, "none", next("none2", owner), until), jotgate.ErrNotFound)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = keys.Rotate(b.ctx, "old", next("next"+strconv.Itoa(i), owner), until) })
	}
	wg.Wait()
	won := ""
	for i, err := range errs {
		if err == nil {
			won += "next" + strconv.Itoa(i)
		} else {
			b.is(err, jotgate.ErrNotFound)
		}
	}
	old.Replacement, old.Expires = won, until
	b.sameKey(keys, old)
	b.sameKey(keys, next(won, owner))
	if list, err := keys.List(b.ctx, owner); err != nil || len(list) != 2 {
		b.Errorf("%d keys after a rotation, %v", len(list), err)
	}
	if len(b.revoked(old.Session(), "")) != 0 {
		b.Error("a key with an overlap is in the feed")
	}

	now := next("now", owner)
	b.must(keys.Rotate(b.ctx, won, now, now.Created))
	if k := next(won, owner); len(b.revoked(k.Session(), "")) != 1 {
		b.Error("a key that was rotated without an overlap is not in the feed")
	}
	soon := next("soon", owner) // an overlap beyond the expiry does not extend it
	b.must(keys.Rotate(b.ctx, "now", soon, start.Add(100*time.Hour)))
	now.Replacement = "soon"
	b.sameKey(keys, now)
	b.must(keys.Revoke(b.ctx, owner, "soon", start))
	b.is(keys.Rotate(b.ctx, "soon", next("dead", owner), until), jotgate.ErrNotFound)
	if _, err := keys.Find(b.ctx, "dead"); !errors.Is(err, jotgate.ErrNotFound) {
		b.Errorf("a revoked key was rotated: %v", err)
	}
}

func apiKeyExpiry(b *bench, keys apikey.Store) {
	owner := b.account()
	for i, hours := range []int{1, 2, 3, 100} {
		k := newAPIKey("k"+strconv.Itoa(i), owner.ID)
		k.Expires = start.Add(time.Duration(hours) * time.Hour)
		b.must(keys.Add(b.ctx, k))
	}
	forever := newAPIKey("forever", owner.ID)
	forever.Expires = time.Time{}
	b.must(keys.Add(b.ctx, forever))
	expiring := func(now time.Time, want ...string) {
		b.Helper()
		list, err := keys.Expiring(b.ctx, now, start.Add(10*time.Hour), 2)
		b.must(err)
		var got []string
		for _, k := range list {
			got = append(got, k.ID)
		}
		if d := cmp.Diff(want, got); d != "" {
			b.Errorf("(-want +got):\n%s", d)
		}
	}
	expiring(start, "k0", "k1")
	expiring(start.Add(time.Hour), "k1", "k2")
	message := record.Message{Kind: record.MessageAPIKeyExpiring, User: owner.ID, To: owner.Email, Created: start}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { b.must(keys.Remind(b.ctx, "k0", &message)) })
	}
	wg.Wait()
	b.must(keys.Remind(b.ctx, "k1", nil))
	expiring(start, "k2")
	b.must(keys.Revoke(b.ctx, owner.ID, "k2", start))
	expiring(start)
	b.must(keys.Remind(b.ctx, "k2", &message))
	if outbox := b.Outbox(); outbox != nil {
		due, err := outbox.Due(b.ctx, start, 100, time.Minute)
		b.must(err)
		if len(due) != 1 || due[0].Kind != record.MessageAPIKeyExpiring {
			b.Errorf("reminders: %+v", due)
		}
	}
	for _, c := range []struct {
		before time.Time
		want   int
	}{{start, 0}, {start.Add(time.Microsecond), 1}, {start.Add(3 * time.Hour), 2}, {start.Add(3 * time.Hour), 0}, {start.Add(1000 * time.Hour), 1}} {
		n, err := keys.Purge(b.ctx, c.before, 10)
		b.must(err)
		if n != c.want {
			b.Errorf("purged %d before %v, want %d", n, c.before, c.want)
		}
	}
	b.sameKey(keys, forever)
}

// When a user verifies an address that was not verified, the API keys and the accounts at
// providers that another person may have created are removed, and nothing else.
func apiKeyReclaim(b *bench, keys apikey.Store) {
	for i, c := range []struct{ verified, reclaim, verify, want bool }{
		{false, true, true, true}, {true, true, true, false}, {false, false, true, false}, {false, true, false, false},
	} {
		name := "reclaimed" + strconv.Itoa(i)
		a := &record.Account{Username: name, Email: name + "@example.com", Password: "first", IsActive: true}
		b.must(b.Addresses().SignUp(b.ctx, a, nil))
		if c.verified {
			b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{VerifyEmail: true}))
		}
		key, other := newAPIKey(name, a.ID), newAPIKey("kept"+strconv.Itoa(i), b.account().ID)
		b.must(keys.Add(b.ctx, key))
		b.must(keys.Add(b.ctx, other))
		if b.SocialAccounts() != nil {
			b.connect(a.ID)
		}
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{
			Password: new("second"), EndSessions: record.EndedByPassword, At: start.Add(time.Minute), VerifyEmail: c.verify, Reclaim: c.reclaim,
		}))
		found, err := keys.Find(b.ctx, name)
		b.must(err)
		if got := !found.Live(start.Add(2 * time.Minute)); got != c.want {
			b.Errorf("%+v: the key is revoked: %v", c, got)
		}
		if got := len(b.revoked(key.Session(), "")) > 0; got != c.want {
			b.Errorf("%+v: its revocation is in the feed: %v", c, got)
		}
		if b.SocialAccounts() != nil {
			if list, err := b.SocialAccounts().ListSocial(b.ctx, a.ID); err != nil || (len(list) == 0) != c.want {
				b.Errorf("%+v: %d accounts at providers, %v", c, len(list), err)
			}
		}
		b.sameKey(keys, other)
	}
}
