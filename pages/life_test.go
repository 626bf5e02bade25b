package pages_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

const long = "a lamp under seven clouds"

// The whole life of an account, in a browser without scripts.
func TestLife(t *testing.T) {
	s := newSite(t, pages.Options{SendActivationEmail: true, PasswordChangedEmail: true})
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	s.is(s.post("/account/signup", "username", "alice", "email", "alice@example.com", "password", "password"), 422, "/account/signup", "Create your account")
	s.is(s.post("/account/signup", "username", "alice", "email", "alice@example.com", "password", long), 200, "/account/done?about=activation", "Check your e-mail")
	s.is(s.post("/account/login", "username", "alice", "password", long), 422, "/account/login", "Sign in")
	activate := s.link("activate", record.MessageActivation, "alice")
	s.is(s.get(activate), 200, activate, "Activate your account")
	s.is(s.post(activate, "password", "wrong"), 422, activate, "Activate your account")
	s.is(s.post(activate, "password", long), 200, "/account/", "Profile")
	s.is(s.post(activate, "password", long), 200, "/account/", "Profile") // a double click

	s.is(s.post("/account/", "username", "alice", "first_name", "Alice", "last_name", "Liddell"), 200, "/account/?done=saved", "Profile")
	if page := s.get("/account/"); !strings.Contains(page.body, `value="Liddell"`) {
		t.Error("the name was not saved")
	}
	s.is(s.post("/account/logout"), 200, "/account/login?done=signedout", "Sign in")
	s.is(s.get("/account/sessions"), 200, "/account/login?next=%2Faccount%2Fsessions", "Sign in")
	s.is(s.post("/account/login?next=%2Faccount%2Fsessions", "username", "alice", "password", long), 200, "/account/sessions", "Sessions")

	s.fresh()
	s.is(s.post("/account/reset", "email", "alice@example.com"), 200, "/account/done?about=reset", "Check your e-mail")
	reset := s.link("reset/confirm", record.MessagePasswordReset, "alice")
	s.is(s.get(reset), 200, reset, "Choose a new password")
	s.is(s.post(reset, "new_password", "12345678"), 422, reset, "Choose a new password")
	s.is(s.post(reset, "new_password", "another lamp, another cloud"), 200, "/account/login?done=reset&name=alice", "Sign in")
	s.is(s.post(reset, "new_password", "another lamp, another cloud"), 422, reset, "Choose a new password") // it works once
	s.is(s.post("/account/login", "username", "alice", "password", "another lamp, another cloud"), 200, "/account/", "Profile")

	s.is(s.post("/account/password", "password", "wrong", "new_password", long), 422, "/account/password", "Password")
	s.is(s.post("/account/password", "password", "another lamp, another cloud", "new_password", long), 200, "/account/password?done=password", "Password")
	s.is(s.post("/account/emails", "email", "liddell@example.com", "password", long), 200, "/account/emails?done=email", "E-mail address")

	var export struct{ Account struct{ Username string } }
	if page := s.post("/account/data/export"); json.Unmarshal([]byte(page.body), &export) != nil || export.Account.Username != "alice" {
		t.Errorf("the export: %s", page.body)
	}
	s.is(s.get("/account/activity"), 200, "/account/activity", "Activity")
	s.is(s.post("/account/data", "password", "wrong"), 422, "/account/data", "Your data")
	s.is(s.post("/account/data", "password", long), 200, "/account/login?done=closed", "Sign in")
	s.is(s.post("/account/login", "username", "alice", "password", long), 422, "/account/login", "Sign in")
}

// A deleted account is inactive immediately, in every browser and for every program
// that reads its row, and can be restored until it is deleted.
func TestDeletion(t *testing.T) {
	s := newSite(t, pages.Options{DeletionDelay: 3 * 24 * time.Hour})
	alice := s.gate.User("alice")
	s.signIn("alice")
	other := s.jar
	s.signIn("alice")
	if page := s.get("/account/data"); !strings.Contains(page.body, "after 3 days") {
		t.Error("the page does not say for how long the account can be restored")
	}
	s.is(s.post("/account/data", "password", jotgatetest.Password), 200, "/account/login?done=closed", "Sign in")
	s.jar = other
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	if a, err := s.gate.Accounts().ByID(t.Context(), alice.ID); err != nil || a.IsActive {
		t.Fatalf("the row: %v %v", a, err)
	}
	s.is(s.post("/account/login", "username", "alice", "password", jotgatetest.Password), 422, "/account/login", "Sign in")

	undo := s.link("delete/undo", record.MessageDeletion, "alice")
	s.is(s.get(undo), 200, undo, "Restore your account")
	s.is(s.post(undo), 422, undo, "Restore your account") // a program that presses every button
	s.is(s.post(undo, "username", "bob"), 422, undo, "Restore your account")
	s.is(s.post(undo, "username", "alice"), 200, "/account/login?done=restored&name=alice", "Sign in")
	s.is(s.post(undo, "username", "alice"), 422, undo, "Restore your account") // it works once
	s.signIn("alice")
	if page := s.get("/account/activity"); !strings.Contains(page.body, "Account restored") || !strings.Contains(page.body, "Deletion of the account requested") {
		t.Error("the activity does not show it")
	}
	s.purge(3 * 24 * time.Hour)
	if _, err := s.gate.Accounts().ByID(t.Context(), alice.ID); err != nil {
		t.Fatalf("a restored account: %v", err)
	}

	s.signIn("alice")
	s.is(s.post("/account/data", "password", jotgatetest.Password), 200, "/account/login?done=closed", "Sign in")
	undo = s.link("delete/undo", record.MessageDeletion, "alice")
	s.purge(3*24*time.Hour - time.Second)
	s.is(s.get(undo), 200, undo, "Restore your account")
	if _, err := s.gate.Accounts().ByID(t.Context(), alice.ID); err != nil {
		t.Fatalf("too early: %v", err)
	}
	s.gate.Clock.Advance(time.Second)
	s.is(s.post(undo, "username", "alice"), 422, undo, "Restore your account") // too late, although it is not purged
	s.purge(0)
	if _, err := s.gate.Accounts().ByID(t.Context(), alice.ID); !errors.Is(err, jotgate.ErrNotFound) {
		t.Fatalf("the account is still there: %v", err)
	}
}

// purge lets time pass and deletes what is due.
func (s *site) purge(after time.Duration) {
	s.Helper()
	s.gate.Clock.Advance(after)
	if _, err := s.gate.Purge(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// An account without an address cannot be restored by its owner, and a server can
// delete every account immediately.
func TestImmediateDeletion(t *testing.T) {
	for name, o := range map[string]pages.Options{"no address": {}, "no delay": {DeletionDelay: -1}} {
		s := newSite(t, o)
		a := s.gate.User("alice")
		if name == "no address" {
			if err := s.gate.Store().Accounts().Change(t.Context(), a.ID, record.Change{Email: new(string)}); err != nil {
				t.Fatal(err)
			}
		}
		s.signIn("alice")
		if page := s.get("/account/data"); !strings.Contains(page.body, "cannot be undone") {
			t.Errorf("%s: the page does not say that it cannot be undone", name)
		}
		s.is(s.post("/account/data", "password", jotgatetest.Password), 200, "/account/login?done=deleted", "Sign in")
		if _, err := s.gate.Accounts().ByID(t.Context(), a.ID); !errors.Is(err, jotgate.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignupSignsIn(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.is(s.post("/account/signup", "username", "alice", "email", "alice@example.com", "password", long), 200, "/account/", "Profile")
	s.fresh() // a double click, of which the first response was lost
	s.is(s.post("/account/signup", "username", "alice", "email", "alice@example.com", "password", long), 200, "/account/", "Profile")
	s.fresh()
	s.is(s.post("/account/signup", "username", "alice", "email", "other@example.com", "password", long+"!"), 422, "/account/signup", "Create your account")
	closed := newSite(t, pages.Options{NoSignup: true})
	if page := closed.post("/account/signup", "username", "alice", "email", "a@example.com", "password", long); page.status != http.StatusForbidden {
		t.Errorf("a closed sign-up: %d", page.status)
	}
}

func TestEmailLinks(t *testing.T) {
	s := newSite(t, pages.Options{})
	alice := s.gate.User("alice")
	s.signIn("alice")
	s.post("/account/emails", "email", "new@example.com", "password", jotgatetest.Password)
	waiting := *alice
	waiting.Email = "new@example.com"
	uid, token := s.gate.Links().Parts(record.MessageEmailChange, &waiting)
	link := "/account/email/confirm?uid=" + uid + "&token=" + token

	s.fresh() // a program that scans e-mails, and presses every button
	s.is(s.get(link), 200, link, "Confirm your e-\u2060mail address")
	s.is(s.post(link), 422, link, "Confirm your e-\u2060mail address")
	s.signIn("alice")
	s.is(s.post(link), 200, "/account/emails?done=saved", "E-mail address")
	if page := s.get("/account/emails"); !strings.Contains(page.body, "new@example.com") {
		t.Error("the page has the former address")
	}

	uid, token = s.gate.Links().Parts(record.MessageEmailChanged, alice)
	undo := "/account/email/undo?uid=" + uid + "&token=" + token
	s.fresh()
	s.is(s.post(undo), 422, undo, "Restore your e-\u2060mail address")
	s.is(s.post(undo, "username", "alice"), 200, "/account/done?about=reset", "Check your e-mail")
	if a, err := s.gate.Accounts().ByID(t.Context(), alice.ID); err != nil || a.Email != "alice@example.com" {
		t.Errorf("%+v, %v", a, err)
	}
}

// A program that scans e-mails opens each kind of link by HEAD and by GET and presses its
// button: that consumes nothing and signs nobody in, and the owner's use of the link works.
func TestLinksSurviveScanners(t *testing.T) {
	scanned := 0
	for _, page := range pages.AllPages() {
		if !page.Token || page.External {
			continue
		}
		scanned++
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			untouched, s := twiceSite(t, page.Path), twiceSite(t, page.Path)
			want := untouched.submit(forms[page.Path](untouched))
			form := forms[page.Path](s)
			link := form.path
			if page.Path == "code/confirm" {
				link += "?code=" + form.fields[1]
			}
			before, own := s.state(), s.jar
			s.fresh()
			for range 2 {
				for _, method := range []string{http.MethodHead, http.MethodGet} {
					r, _ := http.NewRequestWithContext(t.Context(), method, s.server.URL+link, nil)
					if got := s.send(r); got.status != 200 || got.path != link || got.header.Get("Referrer-Policy") != "no-referrer" {
						t.Errorf("%s: %d %s %v", method, got.status, got.path, got.header)
					}
				}
				s.harmless("the button alone", s.post(link))
			}
			if u, _ := url.Parse(s.server.URL); slices.ContainsFunc(s.jar.Cookies(encrypted(u)), func(c *http.Cookie) bool { return strings.HasSuffix(c.Name, "jotgate") }) {
				t.Errorf("the scanner has cookies: %v", s.jar.Cookies(encrypted(u)))
			}
			if after := s.state(); after["sessions"] != before["sessions"] || after["emails"] != before["emails"] {
				t.Errorf("the scanner changes %v to %v", before, after)
			}
			s.jar = own
			if got := s.submit(form); got.status != want.status || got.path != want.path {
				t.Errorf("the owner's link leads to %d %s, without a scanner to %d %s", got.status, got.path, want.status, want.path)
			}
			if got, want := s.state(), untouched.state(); got["sessions"] != want["sessions"] || got["emails"] != want["emails"] {
				t.Errorf("after a scanner the link does %v, without %v", got, want)
			}
		})
	}
	if scanned < 8 {
		t.Errorf("%d kinds of links", scanned)
	}
}

func TestSessions(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	phone := s.jar
	s.signIn("alice")
	s.signIn("alice")
	id := strings.SplitN(strings.SplitN(s.get("/account/sessions").body, `name="session" value="`, 2)[1], `"`, 2)[0]
	for range 2 { // a double click
		s.is(s.post("/account/sessions", "session", id), 200, "/account/sessions?done=ended", "Sessions")
	}
	s.is(s.post("/account/sessions"), 200, "/account/sessions?done=others", "Sessions")
	s.jar = phone
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
}

// The cookie of a session is for the whole host and out of reach of scripts.
func TestCookies(t *testing.T) {
	s := newSite(t, pages.Options{BaseURL: "https://example.com"})
	s.gate.User("alice")
	form := url.Values{"username": {"alice"}, "password": {jotgatetest.Password}, "keep": {"1"}}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/account/login", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	cookies := response.Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%v", cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-jotgate" || c.Path != "/" || c.Domain != "" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
		c.MaxAge != int(30*24*time.Hour/time.Second) {
		t.Errorf("%+v", c)
	}
}

// Every request of another origin is rejected, whatever it would do.
func TestOtherOrigins(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	for _, page := range []string{"login", "signup", "reset", "", "password", "emails", "sessions", "data", "data/export", "logout", "token"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/account/"+page, strings.NewReader("username=alice"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://evil.example")
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := s.send(r); got.status != http.StatusForbidden {
			t.Errorf("%s: %d", page, got.status)
		}
	}
	s.is(s.get("/account/"), 200, "/account/", "Profile")
}

func TestToken(t *testing.T) {
	s := newSite(t, pages.Options{})
	alice := s.gate.User("alice")
	if got := s.post("/account/token"); got.status != 401 || !strings.HasPrefix(got.body, `{"detail":`) {
		t.Errorf("without a session: %d %s", got.status, got.body)
	}
	s.signIn("alice")
	var tokens jotgate.Tokens
	if err := json.Unmarshal([]byte(s.post("/account/token").body), &tokens); err != nil || tokens.Refresh != "" {
		t.Fatalf("%+v, %v", tokens, err)
	}
	if user, err := s.gate.VerifyAccess(tokens.Access); err != nil || user.ID != alice.ID {
		t.Errorf("%+v, %v", user, err)
	}
	if got := s.get("/account/token"); got.status != http.StatusMethodNotAllowed {
		t.Errorf("by GET: %d", got.status)
	}
}
