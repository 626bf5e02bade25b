package api

// Findings A8, A9 and A15, and their siblings: messages and links.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

// However many strangers write the owner's address into their accounts, the owner
// gets a link, in one message.
func TestA8OwnersAreNotBlocked(t *testing.T) {
	s := newSite(t, change{})
	for i := range 12 {
		s.signUp(fmt.Sprint("stranger", i), "victim@example.org")
	}
	s.signUp("victim", "victim@example.org")
	want(t, "request", s.ask("POST", "/auth/users/reset_password/", object("email", "victim@example.org")), 204, "")
	if messages := s.messages(); len(messages) != 1 {
		t.Fatalf("%d messages", len(messages))
	}
	has := func(first bool) {
		t.Helper()
		list, err := s.gate.Links().Accounts(t.Context(), record.MessagePasswordReset, "victim@example.org")
		if err != nil || len(list) != 13 || first && list[0].Username != "victim" || list[0].Username != "victim" && list[12].Username != "victim" {
			t.Errorf("%d accounts, %v", len(list), err)
		}
	}
	has(false)
	uid, token := s.link(record.MessagePasswordReset, "victim")
	want(t, "reset", s.reset(uid, token, "a brand new pass 77"), 204, "")
	has(true) // the address is verified now

	// A stranger who deletes an account takes no message away.
	s.ask("POST", "/auth/users/reset_password/", object("email", "victim@example.org"))
	if err := s.db.Accounts().Delete(t.Context(), s.account("stranger0").ID); err != nil {
		t.Fatal(err)
	}
	if got := s.told(); got != "password_reset victim@example.org " {
		t.Errorf("wrote %q", got)
	}
}

// Messages to one address and about one account are limited, over a restart too,
// whatever network the requests come from.
func TestA8MessagesAreLimited(t *testing.T) {
	s := newSite(t, change{api: activationOn})
	many := func(what string, status int, send func(i int) answer) {
		t.Helper()
		s.messages()
		for i := range 20 {
			if i == 3 {
				s.API = s.reopen(change{api: activationOn})
			}
			if got := send(i); i >= 5 && got.Status != status {
				t.Errorf("%s, request %d: %d, want %d", what, i, got.Status, status)
			}
		}
		if n := len(s.messages()); n != 5 {
			t.Errorf("%s: %d messages, want 5", what, n)
		}
	}
	network := func(i int) string { return fmt.Sprintf("203.0.113.%d:1", i) }
	for _, path := range []string{"reset_password", "reset_username"} {
		many(path, 204, func(i int) answer {
			return s.ask("POST", users+path+"/", object("email", []string{"alice@example.com", "Alice@EXAMPLE.com"}[i%2]), "from", network(i))
		})
	}
	many("sign-ups", 201, func(i int) answer {
		return s.ask("POST", users, object("username", fmt.Sprint("new", i), "email", "Victim@example.org", "password", "a fine passphrase 42"), "from", network(i))
	})
	alice := s.login("alice")
	many("PATCH me", 429, func(i int) answer {
		return s.ask("PATCH", me, object("email", fmt.Sprintf("victim%d@example.org", i)), append(alice.header(), "from", network(i))...)
	})
	s.now.turn(time.Hour)
	want(t, "an hour later", s.ask("POST", "/auth/users/reset_password/", object("email", "alice@example.com")), 204, "")
	if got := s.told(); got != "password_reset alice@example.com " {
		t.Errorf("an hour later: %q", got)
	}
}

// No message but the one that verifies it goes to an address that is not
// verified, and none repeats what a client sent.
func TestA9MessagesAreNoRelay(t *testing.T) {
	all := func(a *Settings) {
		a.NewSignInEmail, a.PasswordChangedEmail, a.UsernameChangedEmail, a.EmailChangedEmail, a.SendConfirmationEmail = true, true, true, true, true
	}
	s := newSite(t, change{api: all})
	evil := "Your account was blocked. Unlock it at https://evil.example/unlock?u=1"
	s.signUp("mallory", "victim@example.org")
	header := []string{"User-Agent", evil, "from", "198.51.100.7:1"}
	access := s.try("mallory", "a fine passphrase 42", header...).member("access")
	s.ask("POST", "/auth/users/set_username/", object("current_password", "a fine passphrase 42", "new_username", "www.evil.example"), "Authorization", "Bearer "+access)
	s.ask("POST", "/auth/users/set_password/", object("current_password", "a fine passphrase 42", "new_password", "a brand new pass 77"), "Authorization", "Bearer "+access)
	if got := s.told(); got != "" {
		t.Errorf("to an unverified address: %s", got)
	}
	for agent, shown := range map[string]string{
		evil: "an unknown program",
		"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0 " + evil: "Firefox on Linux",
		"https://evil.example/Windows": "Windows",
		"":                             "an unknown program",
	} {
		s := newSite(t, change{api: all})
		want(t, agent, s.try("alice", goodPassword, "User-Agent", agent, "from", "198.51.100.7:1"), 200, "access")
		if messages := s.messages(); len(messages) != 1 || messages[0].Detail != "198.51.100.7, "+shown {
			t.Errorf("%q: %v", agent, messages)
		}
	}
}

// Every link that is not valid has one response, and they are limited.
func TestA15LinksDiscloseNothing(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.SendActivationEmail = true; a.Rates["links"] = "" }})
	s.signUp("newbie", "newbie@example.com")
	_, activation := s.link(record.MessageActivation, "newbie")
	_, reset := s.link(record.MessagePasswordReset, "alice")
	paths := map[string][]string{
		"/auth/users/activation/": nil, confirmPath: nil, undoPath: nil,
		resetConfirm: {"new_password", "a brand new pass 77"}, "/auth/users/reset_username_confirm/": {"new_username", "other"},
	}
	for path, more := range paths {
		for _, link := range [][2]string{
			{signing.EncodeUID("1"), "x-y"},
			{signing.EncodeUID("999"), reset},
			{signing.EncodeUID("2"), activation},
			{"!!", reset},
			{strings.Repeat("M", 5000), reset},
			{signing.EncodeUID("1"), strings.Repeat("a", 5000)},
			{signing.EncodeUID("999"), "-"},
		} {
			got := s.ask("POST", path, object(append([]string{"uid", link[0], "token", link[1]}, more...)...))
			if got.Status != 400 || got.Body != badLink {
				t.Errorf("%s %.20s %.20s: %d %s", path, link[0], link[1], got.Status, got.Body)
			}
		}
	}
	for path, more := range paths {
		s := newSite(t, change{})
		refused := 0
		for range 70 {
			if s.ask("POST", path, object(append([]string{"uid", "MQ", "token", "x-y"}, more...)...)).Status == 429 {
				refused++
			}
		}
		if refused != 10 {
			t.Errorf("%s: %d of 70 refused, want 10", path, refused)
		}
	}
}

// Another spelling of an address does not allow more messages to its mailbox, and none
// is taken for an address that it only looks like.
func TestA8SpellingsOfAMailbox(t *testing.T) {
	s := newSite(t, change{api: activationOn})
	spellings := []string{
		"victim@example.org", "Victim@EXAMPLE.org", "victim@ex\u00adample.org", "victim@\uff45xample.org", "victim@example\u3002org",
		"victim@ex\u200bample.org", `\"victim\"@example.org`, "victim+1@example.org", "victim+2@example.org", "victim+a+b@example.org",
	}
	for i, address := range spellings {
		body := `{"username":"new` + fmt.Sprint(i) + `","email":"` + address + `","password":"a fine passphrase 42"}`
		want(t, address, s.ask("POST", users, body, "from", fmt.Sprintf("203.0.113.%d:1", i)), 201, "")
	}
	if n := len(s.messages()); n != 5 {
		t.Errorf("%d messages to one mailbox, want 5", n)
	}
	alice := s.login("alice")
	for i, address := range spellings {
		a := s.ask("PATCH", me, `{"email":"`+address+`"}`, append(s.login("carol").header(), "from", fmt.Sprintf("203.0.113.%d:1", i))...)
		if i >= 5 && a.Status != 429 {
			t.Errorf("%s: %d %s", address, a.Status, a.Body)
		}
	}
	for _, address := range []string{"carol@ex\u0061mple.com", "\u212Aate@example.com", "bo\u017F@example.com"} {
		a := s.ask("PATCH", me, object("email", address), alice.header()...)
		if ascii := !strings.ContainsFunc(address, func(r rune) bool { return r > 127 }); ascii != (a.Status == 200) {
			t.Errorf("%+q: %d %s", address, a.Status, a.Body)
		}
	}
}
