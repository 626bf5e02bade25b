package api

// Rows H071 to H079: reset and activation links, and who gets the messages.

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

const resetConfirm = "/auth/users/reset_password_confirm/"

func (s *site) reset(uid, token, password string) answer {
	return s.ask("POST", resetConfirm, object("uid", uid, "token", token, "new_password", password))
}

func TestH071ResetLinksWorkOnce(t *testing.T) {
	s := newSite(t, change{})
	uid, token := s.link(record.MessagePasswordReset, "alice")
	_, older := s.link(record.MessagePasswordReset, "alice")
	want(t, "first", s.reset(uid, token, "a brand new pass 77"), 204, "")
	want(t, "second", s.reset(uid, token, "a brand new pass 78"), 400, "Invalid token for given user.")
	want(t, "an older link", s.reset(uid, older, "a brand new pass 78"), 400, "Invalid token for given user.")
	want(t, "login", s.try("alice", "a brand new pass 77"), 200, "access")
}

func TestH072ResetRace(t *testing.T) {
	s := newSite(t, change{})
	uid, token := s.link(record.MessagePasswordReset, "alice")
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if s.reset(uid, token, fmt.Sprint("a brand new pass ", i)).Status == 204 {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 20 resets with one link succeeded", won.Load())
	}
}

func TestH073ResetLinksExpire(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.PasswordResetTimeout = time.Hour }})
	uid, token := s.link(record.MessagePasswordReset, "alice")
	if _, digits, _ := strings.Cut(token, "-"); len(digits) != 32 { // 128 bits
		t.Errorf("token %s", token)
	}
	otherUID, _ := s.link(record.MessagePasswordReset, "carol")
	want(t, "for another user", s.reset(otherUID, token, "a brand new pass 77"), 400, "Invalid token")
	s.now.turn(time.Hour + time.Second)
	want(t, "late", s.reset(uid, token, "a brand new pass 77"), 400, "Invalid token")
	s.now.turn(-time.Second)
	want(t, "in time", s.reset(uid, token, "a brand new pass 77"), 204, "")
}

func TestH075LookAlikeAddresses(t *testing.T) {
	s := newSite(t, change{})
	for name, email := range map[string]string{"mike": "mike@example.org", "mike2": "mıke@example.org"} {
		a := &record.Account{Username: name, Email: email, Password: s.account("alice").Password, IsActive: true, DateJoined: s.now.Now()}
		if err := s.db.Accounts().Create(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for typed, to := range map[string]string{"MIKE@example.org": "mike@example.org", "mike@example.org": "mike@example.org", "miKe@example.org": "mike@example.org"} {
		want(t, typed, s.ask("POST", "/auth/users/reset_password/", object("email", typed)), 204, "")
		if messages := s.messages(); len(messages) != 1 || messages[0].To != to {
			t.Errorf("%s: %v", typed, messages)
		}
	}
	for _, typed := range []string{"mıke@example.org", "ｍike@example.org", "mike@examp\u212ae.org"} {
		s.ask("POST", "/auth/users/reset_password/", object("email", typed))
		if messages := s.messages(); len(messages) != 0 {
			t.Errorf("%s: %v", typed, messages)
		}
	}
}

// With Settings.EmailChangeNeedsPassword; by default djoser's front ends are
// served, which send none. Links made for the old address are dead either way.
func TestH076EmailChangeNeedsPassword(t *testing.T) {
	s := newSite(t, change{
		api:  func(a *Settings) { a.EmailChangeNeedsPassword, a.SendActivationEmail = true, true },
		gate: func(g *jotgate.Settings) { g.ImmediateEmailChange = true },
	})
	alice := s.login("alice")
	_, old := s.link(record.MessagePasswordReset, "alice")
	want(t, "without", s.ask("PATCH", me, object("email", "new@example.com"), alice.header()...), 400, `{"current_password":["This field is required."]}`)
	want(t, "wrong", s.ask("PATCH", me, object("email", "new@example.com", "current_password", "x"), alice.header()...), 400, "Invalid password.")
	if s.account("alice").Email != "alice@example.com" {
		t.Fatal("the address was changed")
	}
	want(t, "right", s.ask("PATCH", me, object("email", "new@example.com", "current_password", goodPassword), alice.header()...), 200, "new@example.com")
	if a := s.account("alice"); a.IsActive {
		t.Error("the account is active before the new address is confirmed")
	}
	uid, _ := s.link(record.MessagePasswordReset, "alice")
	want(t, "a link of before", s.reset(uid, old, "a brand new pass 77"), 400, "Invalid token")
	if messages := s.messages(); len(messages) != 1 || messages[0].To != "new@example.com" || messages[0].Kind != record.MessageActivation {
		t.Errorf("%v", messages)
	}
}

// With Settings.EmailChangedEmail the address before hears of the change,
// however it is made; by default no message is written, as by djoser.
func TestH076PreviousAddressIsNotified(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*Settings)
		want string
	}{
		"by default":      {func(*Settings) {}, ""},
		"asked for":       {func(a *Settings) { a.EmailChangedEmail = true }, "email_changed alice@example.com "},
		"with activation": {func(a *Settings) { a.EmailChangedEmail, a.SendActivationEmail = true, true }, "activation new@example.com email_changed alice@example.com "},
	} {
		s := newSite(t, change{api: c.set, gate: func(g *jotgate.Settings) { g.ImmediateEmailChange = true }})
		alice, carol := s.login("alice"), s.login("carol")
		want(t, name, s.ask("PATCH", me, object("email", "alice@example.com"), alice.header()...), 200, "")
		want(t, name, s.ask("PATCH", me, object("email", "no address"), alice.header()...), 400, "")
		want(t, name, s.ask("POST", "/auth/users/set_username/", object("current_password", goodPassword, "new_username", "alice2"), alice.header()...), 204, "")
		if got := s.told(); got != "" {
			t.Errorf("%s: nothing was changed, but %s", name, got)
		}
		want(t, name, s.ask("PATCH", me, object("email", "new@example.com"), alice.header()...), 200, "new@example.com")
		if got := s.told(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		want(t, name, s.ask("PUT", "/auth/users/1/", object("email", ""), carol.header()...), 200, `"email":""`)
		if got := s.told(); strings.Contains(got, "email_changed new@example.com ") != (name != "by default") {
			t.Errorf("%s: by staff: %q", name, got)
		}
	}
}

// Where the address is what one logs in by, a new username is a new address.
func TestH076AddressesAsUsernames(t *testing.T) {
	s := newSite(t, change{})
	var err error
	if s.db, err = sqlite.Open(t.Context(), s.file, sqlite.Options{Schema: store.Schema{Username: "email"}, BusyTimeout: wait.Limit}); err != nil {
		t.Fatal(err)
	}
	defer s.db.Close()
	s.API = s.reopen(change{
		api:  func(a *Settings) { a.EmailChangedEmail, a.UsernameChangedEmail = true, true },
		gate: func(g *jotgate.Settings) { g.ImmediateEmailChange = true },
	})
	header := s.login("alice@example.com").header()
	want(t, "set", s.ask("POST", "/auth/users/set_username/", object("current_password", goodPassword, "new_username", "new@example.com"), header...), 204, "")
	if got := s.told(); got != "email_changed alice@example.com " { // and nothing to the new one, which is not verified
		t.Errorf("set_username: %q", got)
	}
	uid, token := s.link(record.MessageUsernameReset, "new@example.com")
	want(t, "reset", s.ask("POST", "/auth/users/reset_username_confirm/", object("uid", uid, "token", token, "new_username", "newer@example.com")), 204, "")
	if got := s.told(); got != "" { // the one before was not verified, either
		t.Errorf("reset_username_confirm: %q", got)
	}
}

// told lists the messages that were written, and to whom.
func (s *site) told() (list string) {
	for _, l := range s.messages() {
		list += string(l.Kind) + " " + l.To + " "
		if strings.Contains(l.Detail, "@") {
			s.t.Errorf("the message tells an address: %+v", l)
		}
	}
	return list
}

func TestH077LinksServeOnePurpose(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.SendActivationEmail = true }})
	s.signUp("newbie", "newbie@example.com")
	uid, activate := s.link(record.MessageActivation, "newbie")
	_, reset := s.link(record.MessagePasswordReset, "newbie")
	_, username := s.link(record.MessageUsernameReset, "newbie")
	activation := func(token string) answer {
		return s.ask("POST", "/auth/users/activation/", object("uid", uid, "token", token))
	}
	for _, wrong := range []string{activate, username} {
		want(t, "as a reset link", s.reset(uid, wrong, "a brand new pass 77"), 400, "Invalid token")
	}
	for _, wrong := range []string{reset, username} {
		want(t, "as an activation link", activation(wrong), 400, "Invalid token")
	}
	for _, wrong := range []string{reset, activate} {
		want(t, "as a username link", s.ask("POST", "/auth/users/reset_username_confirm/", object("uid", uid, "token", wrong, "new_username", "robert")), 400, "Invalid token")
	}
	want(t, "for its purpose", activation(activate), 204, "")
	want(t, "twice", activation(activate), 400, "Invalid token for given user.")
}

func TestH079HeaderInjection(t *testing.T) {
	s := newSite(t, change{})
	for _, email := range []string{"a@b.de\r\nBcc: x@y.de", "a@b.de\nBcc: x@y.de", "\"a\r\nBcc: x\"@b.de", "a@b.de, x@y.de", "a@b.de\x00", "<a@b.de>", "A <a@b.de>"} {
		for _, path := range []string{"/auth/users/reset_password/", "/auth/users/resend_activation/"} {
			want(t, email, s.ask("POST", path, object("email", email)), 400, "")
		}
		want(t, email, s.ask("POST", "/auth/users/", object("username", "inject", "email", email, "password", "a fine passphrase 42")), 400, "Enter a valid email address.")
	}
	want(t, "in the name", s.ask("POST", "/auth/users/", object("username", "in\r\nBcc: x", "password", "a fine passphrase 42")), 400, "Enter a valid username.")
}
