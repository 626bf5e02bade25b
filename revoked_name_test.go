package jotgate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
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
		{"renamed", &record.Change{Username: new("alicia")}, false, true},
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
		return b.db.DeleteAccount(t.Context(), id)
	}
	c := *change
	c.At = b.clock.Now()
	return b.db.ChangeAccount(t.Context(), id, c)
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
	if err := b.Accounts().SetUsername(t.Context(), alice, "alicia", jotgate.Client{}); err != nil {
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
