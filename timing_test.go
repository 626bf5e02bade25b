package jotgate_test

import (
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/equaltime"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// Why a login was refused cannot be read from a clock: 200 tries of each kind,
// interleaved, differ by less than 5 % in their medians.
func TestRefusedLoginsTakeTheSameTime(t *testing.T) {
	hasher, err := passwd.New("pbkdf2_sha256:6000")
	if err != nil {
		t.Fatal(err)
	}
	b := newGate(t, func(s *jotgate.Settings) { s.Hasher = hasher })
	b.user(t, "alice", nil)
	b.user(t, "bob", func(a *record.Account) { a.IsActive = false })
	b.user(t, "dave", func(a *record.Account) { a.Password = passwd.Unusable() })
	try := func(username, password string) func(int) {
		return func(int) {
			if _, err := b.Login(t.Context(), username, password, jotgate.Client{}); err == nil {
				t.Fatalf("%s logged in", username)
			}
		}
	}
	equaltime.Check(t, 200, 0.05, map[string]func(int){
		"wrong password":    try("alice", "wrong horse battery"),
		"unknown user":      try("nobody", "wrong horse battery"),
		"inactive user":     try("bob", password),
		"unusable password": try("dave", "wrong horse battery"),
	})
}
