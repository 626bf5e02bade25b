package api

// Findings A3 and A4, and their siblings: activation and addresses.

import (
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

const (
	users       = "/auth/users/"
	confirmPath = "/auth/users/email_change_confirm/"
	undoPath    = "/auth/users/email_change_undo/"
	badLink     = `{"token":["Invalid token for given user."]}`
)

func activationOn(a *Settings) { a.SendActivationEmail = true }

// signUp makes an account by the endpoint.
func (s *site) signUp(name, email string) *record.Account {
	s.t.Helper()
	want(s.t, name, s.ask("POST", users, object("username", name, "email", email, "password", "a fine passphrase 42")), 201, "")
	return s.account(name)
}

// linkTo is the link of a message of this kind to an address of the account.
func (s *site) linkTo(kind record.MessageKind, name, address string) string {
	s.t.Helper()
	a := s.account(name)
	a.Email = address
	uid, token := s.gate.Links().Parts(kind, a)
	return object("uid", uid, "token", token)
}

func (s *site) setActive(name string, active bool) {
	s.t.Helper()
	if err := s.db.Accounts().Change(s.t.Context(), s.account(name).ID, record.Change{IsActive: &active, At: s.now.Now()}); err != nil {
		s.t.Fatal(err)
	}
}

// Neither a link that was used nor a new one undoes a deactivation, whoever made
// the link and however it is signed.
func TestA3ABanIsNotUndone(t *testing.T) {
	for name, djoser := range map[string]bool{"own links": false, "djoser's links": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, change{api: activationOn, gate: func(g *jotgate.Settings) { g.DjoserLinks = djoser }})
			a := s.signUp("mallory", "mallory@example.com")
			link := s.linkTo(record.MessageActivation, "mallory", a.Email)
			activate := func(link string) answer { return s.ask("POST", "/auth/users/activation/", link) }
			want(t, "at sign-up", activate(link), 204, "")
			want(t, "twice", activate(link), 400, badLink)
			s.setActive("mallory", false)
			s.messages()

			keys, err := signing.New(string(s.gate.Settings().SecretKey))
			if err != nil {
				t.Fatal(err)
			}
			banned := s.account("mallory")
			django := signing.ResetTokens{Keys: keys}.Make(signing.Account{ID: string(banned.ID), Password: banned.Password, Email: banned.Email}, s.now.Now())
			before := signing.ResetTokens{Keys: keys, Salt: "jotgate link: activation"}.Make(signing.Account{ID: string(banned.ID), Password: banned.Password, Email: banned.Email}, s.now.Now())
			for what, token := range map[string]string{"Django's link": django, "a link of jotgate before 0.4": before} {
				want(t, what, activate(object("uid", signing.EncodeUID(string(banned.ID)), "token", token)), 400, badLink)
			}
			want(t, "the used link", activate(link), 400, badLink)
			want(t, "resend", s.ask("POST", "/auth/users/resend_activation/", object("email", banned.Email)), 204, "")
			if got := s.told(); got != "" {
				t.Errorf("resend_activation wrote %s", got)
			}
			if uid, token := s.link(record.MessageActivation, "mallory"); uid+token != "" {
				t.Errorf("a link was made: %s %s", uid, token)
			}
			for _, token := range []string{django, before} {
				s.reset(signing.EncodeUID(string(banned.ID)), token, "a brand new pass 77")
			}
			if s.account("mallory").IsActive {
				t.Error("the account is active again")
			}
		})
	}
}

// A ban while the account awaits its activation ends the wait; so does a ban
// after Django has activated the account and its owner has logged in.
func TestA3ABanEndsTheWait(t *testing.T) {
	s := newSite(t, change{api: activationOn})
	a := s.signUp("mallory", "mallory@example.com")
	link := s.linkTo(record.MessageActivation, "mallory", a.Email)
	s.setActive("mallory", false)
	want(t, "banned before activation", s.ask("POST", "/auth/users/activation/", link), 400, badLink)

	b := s.signUp("marvin", "marvin@example.com")
	link = s.linkTo(record.MessageActivation, "marvin", b.Email)
	raw := backdoor(t, s.file)
	must(t, raw, "UPDATE auth_user SET is_active = 1 WHERE username = 'marvin'") // Django's admin
	want(t, "login", s.try("marvin", "a fine passphrase 42"), 200, "access")
	must(t, raw, "UPDATE auth_user SET is_active = 0 WHERE username = 'marvin'")
	want(t, "activated and banned by Django", s.ask("POST", "/auth/users/activation/", link), 400, badLink)
	s.messages()
	s.ask("POST", "/auth/users/resend_activation/", object("email", b.Email))
	if got := s.told(); got != "" {
		t.Errorf("resend_activation wrote %s", got)
	}
}

// A change of address that asks for an activation (ImmediateEmailChange) makes no
// link for an account that an operator has deactivated.
func TestA3AddressOfABannedAccount(t *testing.T) {
	s := newSite(t, change{api: activationOn, gate: func(g *jotgate.Settings) { g.ImmediateEmailChange = true }})
	s.setActive("alice", false)
	carol := s.login("carol")
	want(t, "by staff", s.ask("PATCH", "/auth/users/1/", object("email", "new@example.com"), carol.header()...), 200, "new@example.com")
	if got := s.told(); strings.Contains(got, "activation") {
		t.Errorf("wrote %s", got)
	}
	if uid, _ := s.link(record.MessageActivation, "alice"); uid != "" || s.account("alice").IsActive {
		t.Error("the ban can be undone")
	}
}

// A stolen access token changes no address: the new one must be confirmed, and a
// reset goes to the old one until then.
func TestA4AnAddressNeedsItsOwner(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	want(t, "PATCH me", s.ask("PATCH", me, object("email", "evil@example.org"), alice.header()...), 200, `{"email":"alice@example.com","id":1,"username":"alice"}`)
	if got := s.told(); got != "email_change evil@example.org " {
		t.Errorf("wrote %s", got)
	}
	s.ask("POST", "/auth/users/reset_password/", object("email", "evil@example.org"))
	if got := s.told(); got != "" {
		t.Errorf("a reset of an address that is not confirmed: %s", got)
	}
	link := s.linkTo(record.MessageEmailChange, "alice", "evil@example.org")
	for _, path := range []string{"/auth/users/activation/", undoPath} {
		want(t, path, s.ask("POST", path, link), 400, badLink)
	}
	want(t, "confirmed", s.ask("POST", confirmPath, link), 204, "")
	want(t, "twice", s.ask("POST", confirmPath, link), 400, badLink)
	if a := s.account("alice"); a.Email != "evil@example.org" {
		t.Fatalf("%+v", a)
	}
	if got := s.told(); got != "email_changed alice@example.com " {
		t.Errorf("the old address: %s", got)
	}
	// The thief resets the password; the old address hears of that, too.
	uid, token := s.link(record.MessagePasswordReset, "alice")
	want(t, "reset", s.reset(uid, token, "the thief's own 99"), 204, "")
	if got := s.told(); got != "password_changed alice@example.com " {
		t.Errorf("after a reset: %s", got)
	}
	thief := tokens{access: s.try("alice", "the thief's own 99").member("access")}
	want(t, "another pending change", s.ask("PATCH", me, object("email", "evil2@example.org"), thief.header()...), 200, "")
	later := s.linkTo(record.MessageEmailChange, "alice", "evil2@example.org")
	undo := s.linkTo(record.MessageEmailChanged, "alice", "alice@example.com")
	s.messages()
	s.now.turn(7*24*time.Hour - time.Minute)
	want(t, "undo", s.ask("POST", undoPath, undo), 204, "")
	want(t, "undo twice", s.ask("POST", undoPath, undo), 400, badLink)
	if a := s.account("alice"); a.Email != "alice@example.com" {
		t.Fatalf("%+v", a)
	}
	if got := s.told(); got != "password_reset alice@example.com " {
		t.Errorf("after the undo: %s", got)
	}
	want(t, "the thief's password", s.try("alice", "the thief's own 99"), 401, "")
	want(t, "the thief's session", s.me(thief), 401, "")
	want(t, "the thief's next change", s.ask("POST", confirmPath, later), 400, badLink)
	uid, token = s.link(record.MessagePasswordReset, "alice")
	want(t, "the owner's reset", s.reset(uid, token, "a brand new pass 77"), 204, "")
}

// Whoever changes an address twice cannot bring the first thief's address back
// after the owner has undone the change, and a late undo is rejected.
func TestA4UndoIsFinal(t *testing.T) {
	s := newSite(t, change{})
	to := func(address string) {
		t.Helper()
		want(t, address, s.ask("PATCH", me, object("email", address), s.login("alice").header()...), 200, "")
		want(t, address, s.ask("POST", confirmPath, s.linkTo(record.MessageEmailChange, "alice", address)), 204, "")
		s.now.turn(time.Second)
	}
	to("evil@example.org")
	to("evil2@example.org")
	owner, thief := s.linkTo(record.MessageEmailChanged, "alice", "alice@example.com"), s.linkTo(record.MessageEmailChanged, "alice", "evil@example.org")
	want(t, "owner", s.ask("POST", undoPath, owner), 204, "")
	want(t, "thief", s.ask("POST", undoPath, thief), 400, badLink)
	if a := s.account("alice"); a.Email != "alice@example.com" {
		t.Errorf("%+v", a)
	}

	s = newSite(t, change{})
	to("new@example.org")
	late := s.linkTo(record.MessageEmailChanged, "alice", "alice@example.com")
	s.now.turn(7 * 24 * time.Hour)
	want(t, "late", s.ask("POST", undoPath, late), 400, badLink)
}

// A password that was changed ends what its former holder asked for, and a link
// that was superseded or has expired is rejected.
func TestA4PendingChangesEnd(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	ask := func(address string) string {
		t.Helper()
		want(t, address, s.ask("PATCH", me, object("email", address), alice.header()...), 200, "")
		return s.linkTo(record.MessageEmailChange, "alice", address)
	}
	first, second := ask("one@example.org"), ask("two@example.org")
	want(t, "superseded", s.ask("POST", confirmPath, first), 400, badLink)
	want(t, "set_password", s.ask("POST", "/auth/users/set_password/", object("current_password", goodPassword, "new_password", "a brand new pass 77"), alice.header()...), 204, "")
	want(t, "after a new password", s.ask("POST", confirmPath, second), 400, badLink)
	for _, path := range []string{"/auth/sessions/", "/auth/sessions/?others=true"} {
		got := s.try("alice", "a brand new pass 77")
		alice = tokens{got.member("access"), got.member("refresh")}
		link := ask("late@example.org")
		if got := s.ask("DELETE", path, "", alice.header()...); got.Status >= 300 {
			t.Fatalf("%s: %d", path, got.Status)
		}
		want(t, "after "+path, s.ask("POST", confirmPath, link), 400, badLink)
	}
	third := ask("three@example.org")
	s.now.turn(72*time.Hour + time.Second)
	want(t, "expired", s.ask("POST", confirmPath, third), 400, badLink)
}

// Nobody changes or deletes an account with more rights than their own.
func TestA4Rights(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.ImmediateEmailChange = true }})
	ctx := t.Context()
	boss := &record.Account{Username: "boss", Email: "boss@example.com", Password: s.account("alice").Password, IsActive: true, IsStaff: true, IsSuperuser: true}
	clerk := &record.Account{Username: "clerk", Email: "clerk@example.com", Password: boss.Password, IsActive: true, IsStaff: true}
	gone := &record.Account{Username: "gone", Email: "gone@example.com", Password: boss.Password, IsActive: false}
	for _, a := range []*record.Account{boss, clerk, gone} {
		if err := s.db.Accounts().Create(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range []*record.Account{clerk, gone} {
		if err := s.db.Permissions().GrantToAccount(ctx, a.ID, "auth.delete_user"); err != nil {
			t.Fatal(err)
		}
	}
	carol, super := s.login("carol"), s.login("boss")
	for _, a := range []*record.Account{boss, clerk, gone} {
		path := users + string(a.ID) + "/"
		want(t, "GET "+a.Username, s.ask("GET", path, "", carol.header()...), 200, a.Username)
		for _, method := range []string{"PATCH", "PUT"} {
			want(t, method+" "+a.Username, s.ask(method, path, object("email", "evil@example.org"), carol.header()...), 403, "You do not have permission")
		}
		want(t, "DELETE "+a.Username, s.ask("DELETE", path, object("current_password", goodPassword), carol.header()...), 403, "You do not have permission")
	}
	if err := s.db.Permissions().GrantToAccount(ctx, s.account("carol").ID, "auth.delete_user"); err != nil {
		t.Fatal(err)
	}
	want(t, "equal rights", s.ask("PATCH", users+string(clerk.ID)+"/", object("email", "c@example.org"), carol.header()...), 200, "c@example.org")
	want(t, "a superuser", s.ask("DELETE", users+string(clerk.ID)+"/", object("current_password", goodPassword), super.header()...), 204, "")
	want(t, "a user", s.ask("PATCH", "/auth/users/1/", object("email", "a@example.org"), carol.header()...), 200, "a@example.org")
	// A group opens endpoints by its name, even if it has no permission.
	if _, err := s.db.Groups().Create(ctx, "finance"); err != nil {
		t.Fatal(err)
	}
	if err := s.db.Groups().AddMember(ctx, "1", "finance"); err != nil {
		t.Fatal(err)
	}
	want(t, "a group", s.ask("PATCH", "/auth/users/1/", object("email", "b@example.org"), carol.header()...), 403, "You do not have permission")
	if err := s.db.Groups().AddMember(ctx, s.account("carol").ID, "finance"); err != nil {
		t.Fatal(err)
	}
	want(t, "of the same group", s.ask("PATCH", "/auth/users/1/", object("email", "b@example.org"), carol.header()...), 200, "b@example.org")
}

// Where people log in by e-mail, a new login name is a new address, by whatever
// endpoint: it takes effect when it is confirmed, and can be undone.
func TestA4LoginsThatAreAddresses(t *testing.T) {
	s := newSite(t, change{gate: func(g *jotgate.Settings) { g.LoginField = "email" }})
	if err := s.db.Accounts().Change(t.Context(), "1", record.Change{Username: new("alice@example.com")}); err != nil {
		t.Fatal(err)
	}
	login := func(name string, status int) {
		t.Helper()
		want(t, name, s.ask("POST", "/api/token/", object("email", name, "password", goodPassword)), status, "")
	}
	header := s.login("alice@example.com").header()
	want(t, "set", s.ask("POST", "/auth/users/set_email/", object("current_password", goodPassword, "new_email", "one@example.org"), header...), 204, "")
	uid, token := s.link(record.MessageUsernameReset, "alice@example.com")
	login("one@example.org", 401)
	want(t, "reset", s.ask("POST", "/auth/users/reset_email_confirm/", object("uid", uid, "token", token, "new_email", "two@example.org")), 204, "")
	want(t, "reset twice", s.ask("POST", "/auth/users/reset_email_confirm/", object("uid", uid, "token", token, "new_email", "two@example.org")), 400, badLink)
	login("two@example.org", 401)
	login("alice@example.com", 200)
	if got := s.told(); got != "email_change one@example.org email_change two@example.org " {
		t.Errorf("wrote %s", got)
	}
	want(t, "confirm", s.ask("POST", confirmPath, s.linkTo(record.MessageEmailChange, "alice@example.com", "two@example.org")), 204, "")
	login("two@example.org", 200)
	login("alice@example.com", 401)
	want(t, "undo", s.ask("POST", undoPath, s.linkTo(record.MessageEmailChanged, "two@example.org", "alice@example.com")), 204, "")
	login("two@example.org", 401)
	if a := s.account("alice@example.com"); a.Email != a.Username {
		t.Errorf("%+v", a)
	}
}

// Somebody who registers with the address of another person leaves nothing behind
// that works after its owner has reset the password: no session and no API key.
func TestA4SquattersLeaveNothing(t *testing.T) {
	s := newSite(t, change{})
	s.signUp("squatter", "victim@example.org")
	got := s.try("squatter", "a fine passphrase 42")
	mallory := tokens{got.member("access"), got.member("refresh")}
	key := s.newKey(mallory, `{"name":"backdoor","scopes":["account"]}`)
	open := func(what string, status int) {
		t.Helper()
		want(t, what+": the key", s.ask("GET", me, "", "X-Api-Key", key.Key), status, "")
	}
	open("before", 200)
	uid, token := s.link(record.MessagePasswordReset, "squatter")
	want(t, "reset", s.reset(uid, token, "a brand new pass 77"), 204, "")
	open("after", 401)
	want(t, "the session", s.refresh(mallory.refresh), 401, "")
	want(t, "rotation", s.ask("POST", "/auth/api-keys/"+key.ID+"/rotate/", "{}", mallory.header()...), 401, "")

	// The address is the owner's now: a second reset keeps the owner's own keys.
	got = s.try("squatter", "a brand new pass 77")
	key = s.newKey(tokens{got.member("access"), got.member("refresh")}, `{"name":"ci","scopes":["account"]}`)
	uid, token = s.link(record.MessagePasswordReset, "squatter")
	want(t, "second reset", s.reset(uid, token, "another new pass 78"), 204, "")
	open("after a second reset", 200)
}
