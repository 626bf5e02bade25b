package jotgate_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store/sqlite"
)

// A token of Django's, which has no session, is rejected as soon as its user
// is deactivated or deleted, whatever its user claim holds. A token with a
// username that was given up no longer identifies its former owner.
func TestUserClaimIsRevoked(t *testing.T) {
	for _, c := range []struct {
		name         string
		change       *record.Change // nil: the account is deleted
		id, username bool           // whether a token with the one or the other is rejected
	}{
		{"deactivated", &record.Change{IsActive: new(false)}, true, true},
		{"deleted", nil, true, true},
		{"renamed", &record.Change{Username: new("alicia")}, true, true},
		{"renamed and deactivated", &record.Change{Username: new("alicia"), IsActive: new(false)}, true, true},
		{"changed otherwise", &record.Change{Username: new("alice"), FirstName: new("A"), IsActive: new(true)}, false, false},
	} {
		for field, refused := range map[string]bool{"id": c.id, "username": c.username} {
			t.Run(c.name+"/"+field, func(t *testing.T) {
				b := newGate(t, func(s *jotgate.Settings) { s.UserIDField, s.ServeRevocations = field, true })
				alice, bob := b.user(t, "alice", nil), b.user(t, "bob", nil)
				hers, his := djangoToken(t, field, alice), djangoToken(t, field, bob)
				b.clock.Advance(time.Second)
				if err := shutOut(b, t, alice.ID, c.change); err != nil {
					t.Fatal(err)
				}
				if err := b.Sync(t.Context()); err != nil {
					t.Fatal(err)
				}
				far, _, _ := farGuard(t, b, nil)
				eventually(t, func() bool { return far.RevocationAge() < time.Hour })
				for side, guard := range map[string]*jotgate.Guard{"the gate": b.Guard, "a guard elsewhere": far} {
					if _, err := guard.VerifyAccess(his); err != nil {
						t.Errorf("%s: another user: %v", side, err)
					}
					if _, err := guard.VerifyAccess(hers); refused != errors.Is(err, jotgate.ErrTokenInvalid) {
						t.Errorf("%s: %v", side, err)
					}
				}
			})
		}
	}
}

// shutOut applies the change, or deletes the account.
func shutOut(b *bench, t *testing.T, id record.UserID, change *record.Change) error {
	if change == nil {
		return b.db.Accounts().Delete(t.Context(), id)
	}
	c := *change
	c.At = b.clock.Now()
	return b.db.Accounts().Change(t.Context(), id, c)
}

// djangoToken returns an access token as SimpleJWT with this USER_ID_FIELD
// issues it.
func djangoToken(t *testing.T, field string, a *record.Account) string {
	t.Helper()
	claim := string(a.ID)
	if field == "username" {
		claim = a.Username
	}
	token, err := jwt.Sign(key(t), map[string]any{
		"token_type": "access", "exp": noon.Unix() + 300, "iat": noon.Unix(), "jti": "0123456789abcdef", "user_id": claim,
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// The node that changes a name rejects the old one immediately; a login with
// the new one works.
func TestUsernameThatWasGivenUp(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.UserIDField = "username" })
	alice := b.user(t, "alice", nil)
	before := b.login(t, "alice")
	b.clock.Advance(time.Second)
	if err := b.Accounts().SetUsername(t.Context(), alice, "alicia", "", jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(before.Access); !errors.Is(err, jotgate.ErrTokenInvalid) {
		t.Errorf("a token by the former name: %v", err)
	}
	if _, err := b.VerifyAccess(b.login(t, "alicia").Access); err != nil {
		t.Errorf("a token by the new name: %v", err)
	}
	b.user(t, "alice", nil)
	if _, err := b.VerifyAccess(b.login(t, "alice").Access); err != nil {
		t.Errorf("a token of the name's next owner: %v", err)
	}
}

// A username that is given up and taken in the same second: no token of its
// former owner opens the account of the next one, and none of the next owner
// is rejected. The clock stands still throughout.
func TestUsernameTakenInTheSameSecond(t *testing.T) {
	for name, giveUp := range map[string]func(b *bench, t *testing.T, a *record.Account) error{
		"renamed": func(b *bench, t *testing.T, a *record.Account) error {
			return b.Accounts().SetUsername(t.Context(), a, "mallory", "", jotgate.Client{})
		},
		"renamed by the store": func(b *bench, t *testing.T, a *record.Account) error { // as `user set --username`
			return b.db.Accounts().Change(t.Context(), a.ID, record.Change{Username: new("mallory"), At: b.clock.Now()})
		},
		"deleted": func(b *bench, t *testing.T, a *record.Account) error {
			return b.Accounts().Delete(t.Context(), a, jotgate.Client{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "test.db"), sqlite.Options{Now: func() time.Time { return noon }, BusyTimeout: wait.Limit})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			b := gateOn(t, db, func(s *jotgate.Settings) { s.UserIDField, s.ServeRevocations = "username", true })
			mallory := b.user(t, "bob", nil)
			hers := b.login(t, "bob")
			renewed, err := b.Refresh(t.Context(), b.login(t, "bob").Refresh, jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			if err := giveUp(b, t, mallory); err != nil {
				t.Fatal(err)
			}
			if err := b.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.user(t, "bob", nil)
			his := b.login(t, "bob")
			far, _, _ := farGuard(t, b, nil)
			eventually(t, func() bool { return far.RevocationAge() < time.Hour })
			for side, guard := range map[string]*jotgate.Guard{"the gate": b.Guard, "a guard elsewhere": far} {
				for which, token := range map[string]string{"login": hers.Access, "refresh": renewed.Access} {
					if _, err := guard.VerifyAccess(token); !errors.Is(err, jotgate.ErrTokenInvalid) {
						t.Errorf("%s: a token of the former owner, by %s: %v", side, which, err)
					}
				}
				if _, err := guard.VerifyAccess(his.Access); err != nil {
					t.Errorf("%s: a token of the next owner: %v", side, err)
				}
			}
			for _, token := range []string{hers.Refresh, renewed.Refresh} {
				if _, err := b.Refresh(t.Context(), token, jotgate.Client{}); err == nil {
					t.Error("a refresh token of the former owner was accepted")
				}
			}
		})
	}
}

// A login during which the username changes starts no session: its tokens
// would name whoever takes the name next.
func TestUsernameChangedDuringTheLogin(t *testing.T) {
	for _, field := range []string{"id", "username"} {
		t.Run(field, func(t *testing.T) {
			b := newGate(t, func(s *jotgate.Settings) { s.UserIDField = field })
			b.user(t, "bob", nil)
			read, err := b.Logins().Check(t.Context(), "bob", password) // then the hash is computed
			if err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Second)
			if err := b.Accounts().SetUsername(t.Context(), read, "mallory", "", jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
			b.clock.Advance(time.Second)
			if _, err := b.Sessions().Start(t.Context(), read, jotgate.ProvedElsewhere("test"), jotgate.Client{}); !errors.Is(err, jotgate.ErrNoActiveAccount) {
				t.Errorf("a session for the former name: %v", err)
			}
			if list, err := b.Sessions().List(t.Context(), read.ID); err != nil || len(list) != 0 {
				t.Errorf("sessions: %v %v", list, err)
			}
		})
	}
}

// A name that changed hands outside jotgate, as at Django's admin: a token
// with a session belongs to the account that logged in.
func TestUsernameChangedAtDjango(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b := gateOn(t, db, func(s *jotgate.Settings) { s.UserIDField = "username" })
	alice, bob := b.user(t, "alice", nil), b.user(t, "bob", nil)
	token := b.login(t, "bob").Access
	user, err := b.VerifyAccess(token)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Accounts().Of(t.Context(), user); err != nil {
		t.Fatal(err)
	}
	django, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer django.Close()
	for _, c := range []struct {
		id   record.UserID
		name string
	}{{bob.ID, "mallory"}, {alice.ID, "bob"}} {
		if _, err := django.ExecContext(t.Context(), "UPDATE auth_user SET username = $1 WHERE id = $2", c.name, string(c.id)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Accounts().Of(t.Context(), user); !errors.Is(err, jotgate.ErrUserNotFound) {
		t.Errorf("the token opens the account of the next owner: %v", err)
	}
}

// A change of the username ends the other sessions, and voids Django's tokens.
func TestSetUsernameEndsSessions(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	none := jotgate.Client{}
	var logins [2]jotgate.Tokens
	for i := range logins {
		var err error
		if logins[i], err = b.Login(t.Context(), "alice", password, none); err != nil {
			t.Fatal(err)
		}
	}
	foreign := djangoToken(t, "id", alice)
	b.clock.Advance(time.Second)
	keep, err := b.VerifyAccess(logins[0].Access)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Accounts().SetUsername(t.Context(), alice, "alicia", keep.Session, none); err != nil {
		t.Fatal(err)
	}
	if _, err := b.VerifyAccess(logins[0].Access); err != nil {
		t.Errorf("the session that made the change: %v", err)
	}
	if _, err := b.Refresh(t.Context(), logins[0].Refresh, none); err != nil {
		t.Errorf("its refresh token: %v", err)
	}
	for name, token := range map[string]string{"another session": logins[1].Access, "a token of Django": foreign} {
		if _, err := b.VerifyAccess(token); !errors.Is(err, jotgate.ErrTokenInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Refresh(t.Context(), logins[1].Refresh, none); !errors.Is(err, jotgate.ErrTokenBlacklisted) {
		t.Errorf("the refresh token of another session: %v", err)
	}
}
