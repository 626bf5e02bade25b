// Package storetest tests whether an implementation of [record.Store] keeps the contract
// that the comments of package record define. Every store calls [Run] in one of its tests:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) record.Store { … })
//	}
//
// It tests accounts, sessions and concurrent uses of a refresh token, and compares random
// sequences of calls with a model of sessions. The optional interfaces, such as
// [record.Keys], [record.Events] and [record.Factors], are tested if the store implements
// them, and so are API keys and clients if the store has a method APIKeys or Clients.
//
// With the environment variable LONG=1, races and random sequences are repeated more
// often.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
)

// part is a part of the suite; it runs with its own empty store.
type part struct {
	name string
	run  func(t *testing.T, s record.Store)
}

// Run runs the whole suite, in several subtests of t. It calls open once for each
// subtest; open creates an empty store, and closes it when the test that it is passed
// ends.
func Run(t *testing.T, open func(t *testing.T) record.Store) {
	for _, part := range slices.Concat(accountsParts, namesParts, addressesParts, sessionsParts, pagesParts, socialParts, factorParts, notBeforeParts, feedParts, racesParts, modelParts, recordsParts, apiKeyParts, clientParts) {
		t.Run(part.name, func(t *testing.T) { part.run(t, open(t)) })
	}
}

// start is the time at which the suite's clocks start.
var start = time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)

// bench is a store with the suite's helpers.
type bench struct {
	*testing.T
	record.Store
	ctx context.Context
}

func newBench(t *testing.T, s record.Store) *bench {
	return &bench{T: t, Store: s, ctx: context.WithoutCancel(t.Context())}
}

// must fails the test when err is not nil.
func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("unexpected error: %v", err)
	}
}

// is fails the test when err is not want; nil wants no error.
func (b *bench) is(err error, want error) {
	b.Helper()
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		b.Fatalf("error: %v, want %v", err, want)
	}
}

// account creates an active account with a unique name.
func (b *bench) account() *record.Account {
	b.Helper()
	a := &record.Account{Username: "u" + rand.Text(), Email: "User@Example.com", Password: "first", IsActive: true}
	b.must(b.Accounts().Create(b.ctx, a))
	return a
}

// session creates a live session of the user; the jti of its token is "0" +
// its id.
func (b *bench) session(user record.UserID) *record.Session {
	b.Helper()
	s := newSession(user)
	b.must(b.Sessions().Create(b.ctx, s, "first"))
	return s
}

func newSession(user record.UserID) *record.Session {
	id := rand.Text()
	return &record.Session{
		ID: id, User: user, Created: start, LastSeen: start, Address: "192.0.2.1", UserAgent: "test",
		JTI: "0" + id, Expires: start.Add(time.Hour),
	}
}

// rotation returns a use of the session's first token one minute after the
// login.
func rotation(s *record.Session) record.Rotation {
	return record.Rotation{
		Session: s.ID, User: s.User, Presented: s.JTI, Next: "1" + s.ID, Now: start.Add(time.Minute),
		Expires: start.Add(2 * time.Hour), Grace: 10 * time.Second, Address: "192.0.2.2", UserAgent: "other",
	}
}

// find returns the session's row.
func (b *bench) find(id string) *record.Session {
	b.Helper()
	s, err := b.Sessions().Find(b.ctx, id)
	b.must(err)
	return s
}

// revoked lists the feed's entries about a session or a user.
func (b *bench) revoked(session string, user record.UserID) (list []record.Revocation) {
	b.Helper()
	for _, r := range b.feed(record.RevocationCursor{}) {
		if r.Session == session && r.User == user {
			list = append(list, r)
		}
	}
	return list
}

// page returns one page of the feed.
func (b *bench) page(after record.RevocationCursor) record.RevocationPage {
	b.Helper()
	page, err := b.Revocations().List(b.ctx, after, start, 48*time.Hour)
	b.must(err)
	return page
}

// feed lists the entries after the cursor, page by page.
func (b *bench) feed(cursor record.RevocationCursor) (list []record.Revocation) {
	b.Helper()
	for more := true; more; {
		page, err := b.Revocations().List(b.ctx, cursor, start, 48*time.Hour)
		b.must(err)
		list = append(list, page.Entries...)
		cursor, more = page.Next, page.More
	}
	return list
}
