package jotgate_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/equaltime"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// The time of a rejected login does not reveal the reason. The lower limit is
// a tenth: on a busy machine the database takes a larger part, and an unknown
// user needs fewer queries.
func TestRefusedLoginsTakeTheSameTime(t *testing.T) {
	hasher, err := passwd.New("pbkdf2_sha256:20000")
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
	equaltime.Check(t, 100, 0.10, map[string]func(int){
		"wrong password":    try("alice", "wrong horse battery"),
		"unknown user":      try("nobody", "wrong horse battery"),
		"inactive user":     try("bob", password),
		"unusable password": try("dave", "wrong horse battery"),
	})
}

// The time does not reveal how much of a forged signature is correct.
func TestForgedSignaturesTakeTheSameTime(t *testing.T) {
	b := newGate(t, nil)
	b.user(t, "alice", nil)
	token := b.login(t, "alice").Access
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil || len(signature) != 32 {
		t.Fatal(len(signature), err)
	}
	forged := func(right int) func(int) {
		wrong := slices.Clone(signature)
		for i := right; i < len(wrong); i++ {
			wrong[i] ^= 0xff
		}
		text := token[:dot+1] + base64.RawURLEncoding.EncodeToString(wrong)
		return func(int) {
			for range 50 {
				if _, err := b.VerifyAccess(text); err == nil {
					t.Fatal("a forged token was taken")
				}
			}
		}
	}
	equaltime.Check(t, 500, 0.03, map[string]func(int){"0 bytes": forged(0), "16 bytes": forged(16), "31 bytes": forged(31)})
}
