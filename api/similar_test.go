package api

import (
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

const taken = `"A user with that username already exists."`

// A name that could pass for another one is taken, wherever it is written.
func TestA7SimilarNames(t *testing.T) {
	s := newSite(t, change{})
	carol := s.login("carol")
	for _, name := range []string{"Alice", "ALICE", "аlice", "alicе", "a1ice", "\u0410LICE"} {
		want(t, name, s.ask("POST", "/auth/users/", object("username", name, "email", "x@example.com", "password", goodPassword)), 400, `{"username":[`+taken+`]}`)
		want(t, name, s.ask("POST", "/auth/users/set_username/", object("current_password", goodPassword, "new_username", name), carol.header()...), 400, taken)
		uid, token := s.link(record.MessageUsernameReset, "carol")
		want(t, name, s.ask("POST", "/auth/users/reset_username_confirm/", object("uid", uid, "token", token, "new_username", name)), 400, taken)
		if _, err := s.gate.Register(t.Context(), jotgate.Registration{Username: name, Password: goodPassword}, jotgate.Client{}); err == nil {
			t.Errorf("Register accepts %q", name)
		}
	}
	if s.account("carol").Username != "carol" {
		t.Error("carol has another name")
	}
	alice := s.login("alice")
	want(t, "one's own", s.ask("POST", "/auth/users/set_username/", object("current_password", goodPassword, "new_username", "Alice"), alice.header()...), 204, "")
}

// If users log in by e-mail, a similar address is rejected before a message is sent,
// under the name of the field.
func TestA7SimilarAddresses(t *testing.T) {
	s := newSite(t, change{})
	var err error
	if s.db, err = sqlite.Open(t.Context(), s.file, sqlite.Options{Schema: store.Schema{Username: "email"}, BusyTimeout: wait.Limit}); err != nil {
		t.Fatal(err)
	}
	defer s.db.Close()
	s.API = s.reopen(change{gate: func(g *jotgate.Settings) { g.LoginField = "email" }})
	header := s.login("carol@example.com").header()
	s.messages()
	for _, address := range []string{"ALICE@example.com", "Alice@EXAMPLE.com", "aLICE@example.com"} {
		want(t, address, s.ask("POST", "/auth/users/", object("email", address, "password", goodPassword)), 400, `{"email":[`)
		want(t, address, s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", address), header...), 400, `{"new_email":[`)
	}
	if messages := s.messages(); len(messages) != 0 {
		t.Errorf("%v", messages)
	}
	want(t, "another mailbox", s.ask("POST", "/auth/users/", object("email", "a1ice@example.com", "password", goodPassword)), 201, "")
}
