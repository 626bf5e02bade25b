package jotgate_test

// The accounts' part of the crash test: registrations and changes of a
// password that got a response, and the one that was in progress.

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
)

// registerForever creates accounts. A line ends with a dot, so that a
// truncated one is recognized.
func registerForever(ctx context.Context, gate *jotgate.Gate) error {
	for {
		name := "member-" + rand.Text()
		if _, err := gate.Register(ctx, jotgate.Registration{Username: name, Password: password}, jotgate.Client{}); err != nil {
			return err
		}
		answered("user 0 %s.", name)
	}
}

// changeForever changes changer's password; it first prints the one that it
// tries.
func changeForever(ctx context.Context, gate *jotgate.Gate) error {
	for {
		account, err := gate.Store().Accounts().ByLogin(ctx, "changer")
		if err != nil {
			return err
		}
		next := rand.Text()
		answered("try 0 %s.", next)
		if err := gate.Accounts().SetPassword(ctx, account, next, "", jotgate.Client{}); err != nil {
			return err
		}
		answered("word 0 %s.", next)
	}
}

// crashed holds the responses to the child processes about accounts.
type crashed struct {
	members []string // registered since the last look
	words   []string // changer's password is one of them
	changes int
	made    int
}

// hear records a line.
func (c *crashed) hear(what, text string) {
	text, whole := strings.CutSuffix(text, ".")
	switch {
	case !whole:
	case what == "user":
		c.members, c.made = append(c.members, text), c.made+1
	case what == "try":
		c.words = append(c.words, text)
	case what == "word":
		c.words, c.changes = []string{text}, c.changes+1
	}
}

// look checks all of it in the database.
func (c *crashed) look(t *testing.T, gate *jotgate.Gate) {
	t.Helper()
	for _, name := range c.members {
		if _, err := gate.Logins().Check(t.Context(), name, password); err != nil {
			t.Errorf("%s was registered and cannot log in: %v", name, err)
		}
	}
	c.members = nil
	var good []string
	for _, word := range c.words {
		switch _, err := gate.Logins().Check(t.Context(), "changer", word); {
		case err == nil:
			good = append(good, word)
		case !errors.Is(err, jotgate.ErrNoActiveAccount):
			t.Error(err)
		}
	}
	if len(good) != 1 {
		t.Errorf("%d of the %d passwords that changer may have are in force", len(good), len(c.words))
	}
	c.words = good
}
