package jotgate_test

import (
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// TestEveryFactIsIssued: a login writes a value of each claim that Settings.Claims can
// list, from an account that has all of them. A fact that factsOf does not fill is found
// here.
func TestEveryFactIsIssued(t *testing.T) {
	b := newGate(t, func(s *jotgate.Settings) { s.Claims = jotgate.ClaimNames() })
	alice := b.user(t, "alice", func(a *record.Account) { a.FirstName, a.LastName, a.IsStaff = "Alice", "Liddell", true })
	_, err := b.db.Groups().Create(t.Context(), "Editors")
	if err == nil {
		err = b.db.Groups().AddMember(t.Context(), alice.ID, "Editors")
	}
	if err == nil {
		err = b.db.Permissions().GrantToAccount(t.Context(), alice.ID, "auth.add_user")
	}
	if err != nil {
		t.Fatal(err)
	}
	user, err := b.VerifyAccess(b.login(t, "alice").Access)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range jotgate.ClaimNames() {
		switch value, _ := user.Claim(name); value {
		case "", `""`, "0", "[]", "null", "{}":
			t.Errorf("the claim %s is %q: factsOf in issue.go does not fill its field of User", name, value)
		}
	}
}
