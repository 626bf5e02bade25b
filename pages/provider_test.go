package pages_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// has reports whether the body has a text, as a browser shows it.
func (got shown) has(text string) bool { return strings.Contains(got.body, text) }

func TestProviderSignUp(t *testing.T) {
	for _, c := range []struct {
		name     string
		email    string
		verified any
		activate bool
		want     string // the address of the new account
		proved   bool
	}{
		{"vouched", "Ada@Example.com", true, false, "Ada@example.com", true},
		{"vouched, with activation", "ada@example.com", true, true, "ada@example.com", true},
		{"not verified", "ada@example.com", false, false, "ada@example.com", false},
		{"not verified, with activation", "ada@example.com", false, true, "", false},
		{"no address", "", nil, false, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newProviderSite(t, pages.Options{SendActivationEmail: c.activate})
			s.user("1", c.email, c.verified)
			page := s.provide()
			s.is(page, 200, "/account/provider/signup", "Create your account")
			if !page.has(`value="ada"`) {
				t.Errorf("the name is not filled in:\n%s", page.body)
			}
			s.is(s.post("/account/provider/signup", "username", "ada2"), 200, "/account/", "Profile")
			a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada2")
			if err != nil || a.Email != c.want || a.FirstName != "Ada" || a.LastName != "Lovelace" || !a.IsActive {
				t.Fatalf("%+v, %v", a, err)
			}
			if c.want != "" {
				if verified, _, err := s.gate.Store().Addresses().Verified(t.Context(), a.ID, a.Email); err != nil || verified != c.proved {
					t.Errorf("verified: %v, %v", verified, err)
				}
			}
			// From now on the provider signs in, also in another browser, and there is no password.
			s.fresh()
			s.is(s.provide(), 200, "/account/", "Profile")
			s.fresh()
			s.is(s.post("/account/login", "username", "ada2", "password", ""), 422, "/account/login", "Sign in")
			s.is(s.post("/account/login", "username", "ada2", "password", "!"), 422, "/account/login", "Sign in")
		})
	}
}

// The table of account linking: what happens to an account at a provider that is not
// connected, by the account here with the same address.
func TestProviderLinking(t *testing.T) {
	const (
		none, unverified, verified = "none", "unverified", "verified"
		signup, signin, reset, in  = "signup", "signin", "reset", "in"
	)
	for _, c := range []struct {
		local     string
		vouched   bool
		link, ask string // with LinkVerifiedEmails, and without
	}{
		{none, true, signup, signup},
		{none, false, signup, signup},
		{unverified, true, reset, reset},
		{unverified, false, signin, signin},
		{verified, true, in, signin},
		{verified, false, signin, signin},
	} {
		for auto, want := range map[bool]string{true: c.link, false: c.ask} {
			t.Run(c.local+" "+map[bool]string{true: "vouched ", false: "not vouched "}[c.vouched]+map[bool]string{true: "link", false: "ask"}[auto], func(t *testing.T) {
				s := newProviderSite(t, pages.Options{}, func(set *jotgate.Settings) { set.LinkVerifiedEmails = auto })
				if c.local != none {
					a := &record.Account{Username: "alice", Email: "alice@example.com", Password: s.gate.User("other").Password, IsActive: true}
					if err := s.gate.Store().Addresses().SignUp(t.Context(), a, nil); err != nil {
						t.Fatal(err)
					}
					if c.local == verified {
						if err := s.gate.Store().Accounts().Change(t.Context(), a.ID, record.Change{VerifyEmail: true}); err != nil {
							t.Fatal(err)
						}
					}
				}
				s.user("1", "Alice@example.com", c.vouched)
				page := s.provide()
				switch want {
				case signup:
					s.is(page, 200, "/account/provider/signup", "Create your account")
				case reset:
					if page.status != 403 || !page.has("Reset its password") {
						t.Errorf("%d %s", page.status, page.body)
					}
					s.refusedBecause("has not proved that")
				case in:
					s.is(page, 200, "/account/", "Profile")
				case signin:
					s.is(page, 200, "/account/login?done=connect", "Sign in")
					if !page.has("Sign in to it once") {
						t.Error("the page does not say why")
					}
					// Nobody is signed in, and nothing is connected until the owner signs in.
					s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
					s.is(s.post("/account/login", "username", "alice", "password", jotgatetest.Password), 200, "/account/security?done=connected", "Security")
					s.fresh()
					s.is(s.provide(), 200, "/account/", "Profile")
				}
				if want == reset || want == signup {
					s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
				}
			})
		}
	}
}

// On a shared computer, an account at a provider is not connected to the account of the
// next person who signs in.
func TestProviderIsNotConnectedToAnotherAccount(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	alice := s.gate.User("alice", func(a *record.Account) { a.Email = "alice@example.com" })
	if err := s.gate.Store().Accounts().Change(t.Context(), alice.ID, record.Change{VerifyEmail: true}); err != nil {
		t.Fatal(err)
	}
	s.gate.User("bob")
	s.user("1", "alice@example.com", true)
	s.is(s.provide(), 200, "/account/login?done=connect", "Sign in")
	s.is(s.post("/account/login", "username", "bob", "password", jotgatetest.Password), 200, "/account/", "Profile")
	if list := s.eventsNamed("provider_refused"); len(list) != 1 || !strings.Contains(list[0].Detail, "another account") {
		t.Errorf("the events are %+v", list)
	}
	// Nor later, to the right one.
	s.is(s.post("/account/logout"), 200, "/account/login?done=signedout", "Sign in")
	s.is(s.post("/account/login", "username", "alice", "password", jotgatetest.Password), 200, "/account/", "Profile")
	if list, _ := s.gate.Store().SocialAccounts().ListSocial(t.Context(), alice.ID); len(list) != 0 {
		t.Errorf("connected: %+v", list)
	}
}

// A person who registered with somebody else's address and connected a provider
// loses both when the owner of the address resets the password.
func TestResetDisconnectsASquatter(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.user("squatter", "victim@example.com", false)
	s.provide()
	s.is(s.post("/account/provider/signup", "username", "squatter"), 200, "/account/", "Profile")
	squatter := s.jar
	s.fresh()
	s.user("victim", "victim@example.com", true)
	if page := s.provide(); page.status != 403 || !page.has("Reset its password") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	s.is(s.post(s.link("reset/confirm", record.MessagePasswordReset, "squatter"), "new_password", "correct horse battery"), 200, "/account/login?done=reset&name=squatter", "Sign in")
	s.is(s.provide(), 200, "/account/login?done=connect", "Sign in")
	s.is(s.post("/account/login", "username", "squatter", "password", "correct horse battery"), 200, "/account/security?done=connected", "Security")
	s.jar = squatter
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	s.user("squatter", "squatter@example.com", true)
	s.is(s.provide(), 200, "/account/provider/signup", "Create your account")
}

// Apple posts a form from its own site, with which the browser sends no cookies.
func TestFormPost(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.idp.claims = map[string]any{"iss": "https://appleid.apple.com", "sub": "001.abc", "email": "x1@privaterelay.appleid.com", "email_verified": "true"}
	q := s.leave("apple")
	q.Set("user", `{"name":{"firstName":"Ada","lastName":"Lovelace"}}`)
	r := s.form(callbackOf("apple"), q, "https://appleid.apple.com")
	s.is(s.send(r), 200, "/account/provider/signup", "Create your account")
	s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
	a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada")
	if err != nil || a.FirstName != "Ada" || a.Email != "x1@privaterelay.appleid.com" {
		t.Errorf("%+v, %v", a, err)
	}
	// The name comes once; the second time nothing changes.
	s.fresh()
	s.is(s.send(s.form(callbackOf("apple"), s.leave("apple"), "https://appleid.apple.com")), 200, "/account/", "Profile")
	if a, err = s.gate.Store().Accounts().ByLogin(t.Context(), "ada"); err != nil || a.FirstName != "Ada" {
		t.Errorf("%+v, %v", a, err)
	}
	// Other pages still refuse forms of other sites.
	s.is(s.send(s.form("/account/provider", url.Values{"provider": {"apple"}}, "https://appleid.apple.com")), 403, "/account/provider", "Something went wrong")
}

// A provider is one factor: a user with an authenticator app is asked for its code.
func TestProviderIsOneFactor(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	s.user("1", "", nil)
	s.is(s.back("example", s.leave("example", "use", "connect")), 200, "/account/security?done=connected", "Security")
	a := s.enrol(s.get("/account/security/app"))
	if got := a.add(a.code()); got.status != 200 {
		t.Fatal(got.status)
	}
	s.gate.Clock.Advance(time.Minute)
	s.fresh()
	s.is(s.provide(), 200, "/account/login/code", "Enter your code")
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	s.is(s.post("/account/login/code", "code", a.code()), 200, "/account/", "Profile")
	// A login in progress ends when the account is disconnected.
	s.gate.Clock.Advance(time.Minute)
	s.fresh()
	s.is(s.provide(), 200, "/account/login/code", "Enter your code")
	account, err := s.gate.Store().Accounts().ByLogin(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.gate.Logins().Providers().Connected(t.Context(), account)
	if err != nil || len(list) != 1 || !list[0].Removable {
		t.Fatalf("%+v, %v", list, err)
	}
	if err := s.gate.Logins().Providers().Disconnect(t.Context(), account, list[0].ID, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	s.is(s.post("/account/login/code", "code", a.code()), 200, "/account/login?done=expired", "Sign in")
}

// Connecting needs a recent authentication and the session that began it; the last way
// to sign in cannot be removed.
func TestConnectAndDisconnect(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.gate.User("alice")
	s.gate.User("bob")
	s.signIn("alice")
	s.user("1", "", nil)
	// Another session may not finish it.
	q := s.leave("example", "use", "connect")
	s.is(s.post("/account/logout"), 200, "/account/login?done=signedout", "Sign in")
	s.is(s.post("/account/login", "username", "bob", "password", jotgatetest.Password), 200, "/account/", "Profile")
	if got := s.back("example", q); got.status != 403 {
		t.Errorf("another session connected: %d", got.status)
	}
	s.refusedBecause("the session is another one")
	s.signIn("alice")
	s.is(s.back("example", s.leave("example", "use", "connect")), 200, "/account/security?done=connected", "Security")
	// The account at the provider is alice's now.
	s.signIn("bob")
	if got := s.back("example", s.leave("example", "use", "connect")); got.status != 403 || !got.has("is connected to another account here") {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.refusedBecause("connected to another account")
	s.gate.Clock.Advance(11 * time.Minute)
	s.is(s.post("/account/provider", "provider", "example", "use", "connect"), 200, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	// Authenticating again with the provider, as another user and as the same.
	s.fresh()
	s.is(s.provide(), 200, "/account/", "Profile")
	s.gate.Clock.Advance(11 * time.Minute)
	page := s.post("/account/security", "disconnect", "1")
	s.is(page, 200, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	if !page.has("Continue with Example") || page.has("Continue with Other") {
		t.Error("the page does not offer the connected provider alone")
	}
	s.user("2", "", nil)
	if got := s.back("example", s.leave("example", "use", "again")); got.status != 403 || !got.has("not connected to yours") {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.refusedBecause("the user is another one")
	s.is(s.post("/account/security", "disconnect", "1"), 200, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	s.user("1", "", nil)
	s.is(s.back("example", s.leave("example", "use", "again")), 200, "/account/", "Profile")
	s.is(s.post("/account/security", "disconnect", "1"), 200, "/account/security?done=saved", "Security")
	// A user without a password keeps the only way in.
	s.fresh()
	s.user("3", "", nil)
	s.provide()
	s.is(s.post("/account/provider/signup", "username", "carol"), 200, "/account/", "Profile")
	got := s.post("/account/security", "disconnect", "2")
	if got.status != 422 || !got.has("the only way to sign in") {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.fresh()
	s.is(s.provide(), 200, "/account/", "Profile")
}

// Nothing leads to another site except the provider.
func TestProviderNext(t *testing.T) {
	s := newProviderSite(t, pages.Options{})
	s.user("1", "", nil)
	s.provide()
	s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
	for next, want := range map[string]string{"/account/sessions": "/account/sessions", "//evil.example": "/account/", "https://evil.example/": "/account/"} {
		s.fresh()
		page := s.post("/account/provider?next="+url.QueryEscape(next), "provider", "example")
		u, err := url.Parse(strings.TrimPrefix(page.header.Get("Refresh"), "0; url="))
		if err != nil {
			t.Fatal(err)
		}
		s.idp.nonces["c"] = u.Query().Get("nonce")
		if got := s.back("example", url.Values{"code": {"c"}, "state": {u.Query().Get("state")}}); got.path != want {
			t.Errorf("next=%s leads to %s", next, got.path)
		}
	}
	s.is(s.post("/account/provider", "provider", "nothing"), 200, "/account/security", "Security") // it was removed
	fresh := newProviderSite(t, pages.Options{})
	fresh.idp.down = errors.New("connection refused")
	if got := fresh.post("/account/provider", "provider", "example"); got.status != 503 || !got.has("cannot be reached") {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// Sign-up can be closed, and an account can become inactive.
func TestProviderRefusesToSignIn(t *testing.T) {
	s := newProviderSite(t, pages.Options{NoSignup: true})
	s.user("1", "ada@example.com", true)
	if got := s.provide(); got.status != 403 || !got.has("sign-up is closed") {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.refusedBecause("sign-up is closed")
	s = newProviderSite(t, pages.Options{})
	s.user("1", "ada@example.com", true)
	s.provide()
	s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
	a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	no := false
	if err := s.gate.Store().Accounts().Change(t.Context(), a.ID, record.Change{IsActive: &no, At: s.gate.Clock.Now()}); err != nil {
		t.Fatal(err)
	}
	s.fresh()
	if got := s.provide(); got.status != 403 || !got.has("not active") {
		t.Errorf("%d %s", got.status, got.body)
	}
}
