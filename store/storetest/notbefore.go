// Tokens without a session, as Django issues them: what invalidates them.

package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// endings are the operations that end all sessions of an account.
var endings = []struct {
	name string
	end  func(b *bench, a *record.Account, except string, at time.Time) error
	keep bool // the session in except is kept
	gone bool // the account is inactive or deleted afterwards
}{
	{"log out everywhere", func(b *bench, a *record.Account, _ string, at time.Time) error {
		_, err := b.Sessions().End(b.ctx, record.Ending{User: a.ID, Reason: record.EndedByUser, Now: at})
		return err
	}, false, false},
	{"log out everywhere else", func(b *bench, a *record.Account, except string, at time.Time) error {
		_, err := b.Sessions().End(b.ctx, record.Ending{User: a.ID, Except: except, Reason: record.EndedByUser, Now: at})
		return err
	}, true, false},
	{"a new password", func(b *bench, a *record.Account, except string, at time.Time) error {
		return b.Accounts().Change(b.ctx, a.ID, record.Change{Password: new("second"), EndSessions: record.EndedByPassword, KeepSession: except, At: at})
	}, true, false},
	{"a new username", func(b *bench, a *record.Account, except string, at time.Time) error {
		return b.Accounts().Change(b.ctx, a.ID, record.Change{Username: new("x" + a.Username), KeepSession: except, At: at})
	}, true, false},
	{"deactivated", func(b *bench, a *record.Account, _ string, at time.Time) error {
		return b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(false), At: at})
	}, false, true},
	{"deactivated and activated again", func(b *bench, a *record.Account, _ string, at time.Time) error {
		if err := b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(false), At: at}); err != nil {
			return err
		}
		return b.Accounts().Change(b.ctx, a.ID, record.Change{IsActive: new(true), At: at})
	}, false, false},
}

var notBeforeParts = []part{
	{"not before", func(t *testing.T, s record.Store) {
		for _, ending := range endings {
			t.Run(ending.name, func(t *testing.T) { voids(newBench(t, s), ending.end, ending.keep, ending.gone) })
		}
		b := newBench(t, s)
		a := b.account()
		at, err := b.Sessions().NotBefore(b.ctx, a.ID, a.Username)
		b.must(err)
		for _, user := range []record.UserID{"", "x", a.ID + "\x00"} {
			other, err := b.Sessions().NotBefore(b.ctx, user, "")
			b.must(err)
			if !at.IsZero() || !other.IsZero() {
				t.Errorf("void without a reason: %v, %v", at, other)
			}
		}
		// The time never decreases, and ending one session does not change
		// it.
		for _, second := range []int{3, 1, 2} {
			_, err := b.Sessions().End(b.ctx, record.Ending{User: a.ID, Reason: record.EndedByUser, Now: start.Add(time.Duration(second) * time.Second)})
			b.must(err)
			one := b.session(a.ID)
			_, err = b.Sessions().End(b.ctx, record.Ending{User: a.ID, ID: one.ID, Reason: record.EndedByUser, Now: start.Add(time.Hour)})
			b.must(err)
		}
		if at, err = b.Sessions().NotBefore(b.ctx, a.ID, ""); err != nil || at.Sub(start.Add(3*time.Second)).Round(time.Millisecond) != 0 {
			t.Errorf("void until %v, %v", at, err)
		}
	}},
	{"not before of a name", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		renamed, deleted := b.account(), b.account()
		at := start.Add(time.Minute)
		b.must(b.Accounts().Change(b.ctx, renamed.ID, record.Change{Username: new("x" + renamed.Username), At: at}))
		b.must(b.Accounts().Delete(b.ctx, deleted.ID))
		for _, name := range []string{renamed.Username, deleted.Username} {
			successor := &record.Account{Username: name, Password: "first", IsActive: true}
			b.must(b.Accounts().Create(b.ctx, successor))
			session := newSession(successor.ID)
			session.Adopted = record.AdoptedToken{Issued: start, Username: name}
			r := rotation(session)
			r.Adopt = session
			_, err := b.Sessions().Rotate(b.ctx, r)
			b.is(err, jotgate.ErrTokenBlacklisted)
			session.Adopted.Username = "" // a token that identifies the user by id belongs to the successor
			_, err = b.Sessions().Rotate(b.ctx, r)
			b.must(err)
		}
	}},
	{"a new password of sessions that stay", func(t *testing.T, s record.Store) {
		b := newBench(t, s)
		a := b.account()
		session := b.session(a.ID)
		// An upgrade of the hash, a password that keeps all sessions, and one
		// that keeps a session.
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Password: new("second"), IfPassword: new("first")}))
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{Password: new("third")}))
		b.must(b.Accounts().Change(b.ctx, a.ID, record.Change{
			Password: new("fourth"), EndSessions: record.EndedByPassword, KeepSession: session.ID, At: start,
		}))
		b.must(b.Sessions().ConfirmPassword(b.ctx, session.ID, a.ID, "fourth", start))
		b.must(b.Sessions().ConfirmPassword(b.ctx, session.ID, a.ID, "as it was read before", start)) // by a slow request
		for _, password := range []string{"fourth", "as it was read before", "fourth"} {              // with a token without a session
			b.must(b.Sessions().ConfirmPassword(b.ctx, "", a.ID, password, start))
		}
		if got := b.find(session.ID).PasswordDigest; got != record.DigestPassword("fourth") {
			t.Errorf("the session goes with another password: %q", got)
		}
		_, err := b.Sessions().Rotate(b.ctx, rotation(session))
		b.must(err)
	}},
}

// voids checks that an ending invalidates tokens without a session that were
// issued before it or in the same second, but not later ones. Sessions of
// tokens depend on their rows.
func voids(b *bench, end func(*bench, *record.Account, string, time.Time) error, keep, gone bool) {
	b.Helper()
	a := b.account()
	at := start.Add(time.Minute)
	kept := b.adopted(a.ID, start)
	b.must(b.adopt(kept))
	other := b.adopted(a.ID, start)
	b.must(b.adopt(other))
	b.must(end(b, a, kept.ID, at))
	if void, err := b.Sessions().NotBefore(b.ctx, a.ID, ""); err != nil || void.Before(at) {
		b.Errorf("void until %v, %v", void, err)
	}
	name := a.Username // or another one since
	if now, err := b.Accounts().ByID(b.ctx, a.ID); err == nil {
		name = now.Username
	}
	if !slices.ContainsFunc(b.revoked("", a.ID), func(r record.Revocation) bool { return r.NotBefore.Equal(at) && r.Username == name }) {
		b.Error("no revocation of the user")
	}
	refused := error(jotgate.ErrTokenBlacklisted)
	if gone {
		refused = jotgate.ErrNoAccountForToken
	}
	for _, issued := range []time.Time{{}, start, at.Add(-time.Second), at.Truncate(time.Second)} {
		token := b.adopted(a.ID, issued)
		b.is(b.adopt(token), refused)
		_, err := b.Sessions().Find(b.ctx, token.ID)
		b.is(err, jotgate.ErrNotFound)
		n, err := b.Sessions().End(b.ctx, record.Ending{ID: token.ID, User: a.ID, Reason: record.EndedByLogout, Now: at, Adopt: token})
		if b.must(err); n != 0 {
			b.Errorf("a void token was logged out")
		}
	}
	if row := b.find(other.ID); row.Ended.IsZero() {
		b.Error("an adopted session continues")
	}
	if row := b.find(kept.ID); row.Ended.IsZero() != keep {
		b.Errorf("the kept session: %+v", row)
	}
	if !gone {
		b.must(b.adopt(b.adopted(a.ID, at.Truncate(time.Second).Add(time.Second))))
	}
}

// adopted returns the session of a token that Django issued.
func (b *bench) adopted(user record.UserID, issued time.Time) *record.Session {
	s := newSession(user)
	s.Adopted = record.AdoptedToken{Issued: issued, Expires: s.Expires}
	return s
}

// adopt uses the token of s for the first time.
func (b *bench) adopt(s *record.Session) error {
	r := rotation(s)
	r.Adopt = s
	_, err := b.Sessions().Rotate(b.ctx, r)
	return err
}
