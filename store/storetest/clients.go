package storetest

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
)

// hasClients is a store that keeps OAuth clients, too.
type hasClients interface{ Clients() oauth.Store }

var clientParts = []part{
	{"clients", withClients(clientRows)},
	{"changes of clients", withClients(clientChanges)},
	{"service accounts", withClients(serviceAccounts)},
	{"assertions", withClients(clientAssertions)},
}

// withClients runs the part if the store keeps clients.
func withClients(run func(b *bench, clients oauth.Store)) func(*testing.T, record.Store) {
	return func(t *testing.T, s record.Store) {
		if clients, ok := s.(hasClients); ok {
			run(newBench(t, s), clients.Clients())
		}
	}
}

// client creates a client with this name.
func (b *bench) client(clients oauth.Store, name string) *oauth.Client {
	b.Helper()
	c := &oauth.Client{
		ID: "id-of-" + name, Name: name, Scopes: []string{"orders:read", "a"}, Created: start,
		Secret: "digest of " + name, Session: strings.Repeat("0123456789abcdef", 2),
	}
	b.must(clients.Create(b.ctx, c, c.Account()))
	return c
}

// sameClient compares a stored client.
func (b *bench) sameClient(clients oauth.Store, want oauth.Client) {
	b.Helper()
	got, err := clients.Find(b.ctx, want.ID)
	b.must(err)
	if d := cmp.Diff(want, *got); d != "" {
		b.Errorf("%s (-want +got):\n%s", want.ID, d)
	}
}

func clientRows(b *bench, clients oauth.Store) {
	second, first := b.client(clients, "service-b"), b.client(clients, "service-a")
	b.sameClient(clients, *first)
	b.sameClient(clients, *second)
	again := &oauth.Client{ID: "another", Name: "service-a", Scopes: []string{"a"}, Created: start, Session: first.Session}
	b.is(clients.Create(b.ctx, again, again.Account()), jotgate.ErrTaken)
	for _, id := range []string{"", "none", "ID-OF-SERVICE-A", "nul\x00", "\xff", "another"} {
		_, err := clients.Find(b.ctx, id)
		b.is(err, jotgate.ErrNotFound)
		b.is(clients.Change(b.ctx, id, oauth.Change{Scopes: []string{"x"}, Now: start}), jotgate.ErrNotFound)
	}
	list, err := clients.List(b.ctx)
	b.must(err)
	if len(list) != 2 || list[0].ID != first.ID || list[1].ID != second.ID {
		b.Errorf("in the order of the names: %+v", list)
	}
	b.must(b.Accounts().Delete(b.ctx, first.User))
	_, err = clients.Find(b.ctx, first.ID)
	b.is(err, jotgate.ErrNotFound)
}

func clientChanges(b *bench, clients oauth.Store) {
	c := b.client(clients, "service")
	now := start.Add(time.Minute)
	// Of concurrent rotations with an overlap exactly one succeeds.
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		digest := strings.Repeat(string(rune('a'+i)), 64)
		group.Go(func() {
			errs[i] = clients.Change(b.ctx, c.ID, oauth.Change{Secret: &digest, FormerUntil: now.Add(time.Hour), Now: now})
		})
	}
	group.Wait()
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			c.FormerSecret, c.Secret = "digest of service", strings.Repeat(string(rune('a'+i)), 64)
			continue
		}
		b.is(err, oauth.ErrRotating)
	}
	if won != 1 {
		b.Fatalf("%d of 8 concurrent rotations succeeded", won)
	}
	c.FormerUntil = now.Add(time.Hour)
	b.sameClient(clients, *c)

	// After the overlap there can be another, and one without an overlap at any time.
	next := "next"
	now = now.Add(time.Hour)
	b.must(clients.Change(b.ctx, c.ID, oauth.Change{Secret: &next, FormerUntil: now.Add(time.Hour), Now: now}))
	c.FormerSecret, c.Secret, c.FormerUntil = c.Secret, next, now.Add(time.Hour)
	b.sameClient(clients, *c)
	last, session := "last", strings.Repeat("f", 32)
	b.must(clients.Change(b.ctx, c.ID, oauth.Change{Secret: &last, FormerUntil: now, Session: session, Now: now}))
	b.listed(c.Session)
	c.FormerSecret, c.Secret, c.FormerUntil, c.Session = "", last, now, session
	b.sameClient(clients, *c)

	yes, no := true, false
	b.must(clients.Change(b.ctx, c.ID, oauth.Change{Disabled: &yes, Scopes: []string{"b"}, Now: now}))
	c.Disabled, c.Scopes = now, []string{"b"}
	b.sameClient(clients, *c)
	keys := `{"keys":[]}`
	b.must(clients.Change(b.ctx, c.ID, oauth.Change{Disabled: &no, Keys: &keys, Now: now}))
	c.Disabled, c.Keys, c.Secret, c.FormerSecret, c.FormerUntil = time.Time{}, keys, "", "", time.Time{}
	b.sameClient(clients, *c)

	jti := strings.Repeat("ab", 16)
	b.must(clients.RevokeToken(b.ctx, jti, now))
	b.listed(jti)
}

// listed fails unless the session is in the revocation feed.
func (b *bench) listed(session string) {
	b.Helper()
	if len(b.revoked(session, "")) == 0 {
		b.Errorf("%s is not in the revocation feed", session)
	}
}

func serviceAccounts(b *bench, clients oauth.Store) {
	person, c := b.account(), b.client(clients, "service")
	for id, service := range map[record.UserID]bool{person.ID: false, c.User: true} {
		a, err := b.Accounts().ByID(b.ctx, id)
		b.must(err)
		if a.Service != service || !a.IsActive {
			b.Errorf("%s: service %v, active %v", a.Username, a.Service, a.IsActive)
		}
		byName, err := b.Accounts().ByLogin(b.ctx, a.Username)
		b.must(err)
		if byName.Service != service {
			b.Errorf("%s by name: service %v", a.Username, byName.Service)
		}
	}
	// The refresh token of a Django beside jotgate is not adopted.
	r := record.Rotation{Session: "s", User: c.User, Presented: "p", Next: "n", Now: start, Expires: start.Add(time.Hour)}
	r.Adopt = &record.Session{ID: "s", User: c.User, JTI: "p", Created: start, LastSeen: start, Rotated: start, Expires: start.Add(time.Hour)}
	_, err := b.Store.Sessions().Rotate(b.ctx, r)
	b.is(err, jotgate.ErrNoAccountForToken)
}

func clientAssertions(b *bench, clients oauth.Store) {
	errs := make([]error, 8)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = clients.Spend(b.ctx, "assertion x", start.Add(time.Minute)) })
	}
	group.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			b.is(err, jotgate.ErrTaken)
		}
	}
	if won != 1 {
		b.Errorf("an assertion was used %d times", won)
	}
	b.must(clients.Spend(b.ctx, "assertion y", start.Add(time.Minute)))
}
