package jotgate_test

import (
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd"
)

// Authenticating again with a password whose hash is outdated replaces the hash, as a
// login does, and succeeds. Before, the new hash counted as a password that had changed
// in the meantime.
func TestAuthenticateAgainWithAnOutdatedHash(t *testing.T) {
	b := newGate(t, nil)
	alice := b.user(t, "alice", nil)
	tokens, err := b.Login(t.Context(), "alice", password, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	hasher, err := passwd.New("pbkdf2_sha256:200")
	if err != nil {
		t.Fatal(err)
	}
	later, err := jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: hasher, Now: b.clock.Now}, b.db)
	if err != nil {
		t.Fatal(err)
	}
	user, err := later.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	again := func(text string) error {
		_, err := later.Logins().Reauthenticate(t.Context(), user, jotgate.Password("alice", text), jotgate.Client{})
		return err
	}
	if err := again(password + "x"); jotgate.AsError(err).Code != jotgate.ErrWrongPassword.Code {
		t.Errorf("a wrong password: %v", err)
	}
	if err := again(password); err != nil {
		t.Error(err)
	}
	stored, err := b.db.Accounts().ByID(t.Context(), alice.ID)
	if err != nil || hasher.Outdated(stored.Password) {
		t.Errorf("%s %v", stored.Password, err)
	}
}
