package pages_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// trail lists the events, newest first.
func (s *site) trail() []record.Event {
	s.Helper()
	list, err := s.gate.Store().Events().List(s.Context(), "", 0, 1000)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// events counts the events with an endpoint, as "name outcome endpoint".
func (s *site) events() map[string]int {
	s.Helper()
	count := map[string]int{}
	for _, e := range s.trail() {
		if e.Endpoint != "" {
			count[e.Name+" "+e.Outcome+" "+e.Endpoint]++
		}
	}
	return count
}

// What the pages refuse is in the audit trail as what the API refuses, although a
// page shows its form again or sends the browser elsewhere.
func TestRefusalsAreRecorded(t *testing.T) {
	s := newSite(t, pages.Options{})
	alice := s.gate.User("alice")
	s.signIn("alice")
	for _, page := range []string{"activate", "reset/confirm", "email/confirm", "email/undo", "username/confirm"} {
		link := "/account/" + page + "?uid=MQ&token=x"
		s.get(link)
		s.post(link, "password", "x", "new_password", long, "username", "alice")
	}
	s.post("/account/password", "password", "wrong", "new_password", long)
	s.post("/account/emails", "password", "wrong", "email", "new@example.com")
	s.post("/account/data", "password", "wrong")

	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/account/logout", nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	s.send(r) // a page of another origin
	r, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/account/check", nil)
	r.Header.Set("Authorization", "Bearer x")
	s.send(r)
	r, _ = http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/account/check", nil)
	r.Header.Set("Origin", "https://evil.example")
	s.send(r)

	a := s.enrol(s.get("/account/security/app"))
	a.add("000000")
	s.gate.Clock.Advance(time.Minute)
	a.add(a.code())
	s.fresh()
	s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
	s.post("/account/login/code", "code", "000000")
	s.post("/account/login/recovery", "recovery_code", "wrong")
	s.fresh()
	for range 8 {
		s.post("/account/login", "username", "carol", "password", "wrong")
	}
	want := []string{
		"password_refused failure /account/password", "password_refused failure /account/emails", "password_refused failure /account/data",
		"forbidden denied /account/logout", "forbidden denied /account/check", "token_refused failure /account/check",
		"factor_refused failure /account/security/app", "factor_refused failure /account/login/code", "factor_refused failure /account/login/recovery",
		"login_failed failure /account/login", "throttled denied /account/login",
	}
	got := s.events()
	for _, event := range want {
		if got[event] == 0 {
			t.Errorf("%q is not recorded; there are %v", event, got)
		}
	}
	for _, page := range []string{"activate", "reset/confirm", "email/confirm", "email/undo", "username/confirm"} {
		if n := got["link_refused failure /account/"+page]; n != 2 { // GET and POST, each once
			t.Errorf("%s: %d refused links are recorded", page, n)
		}
	}
	list, err := s.gate.Store().Events().List(t.Context(), alice.ID, 0, 1000)
	if err != nil || !slices.ContainsFunc(list, func(e record.Event) bool { return e.Name == "factor_refused" && e.Endpoint == "/account/security/app" }) {
		t.Errorf("a refusal of a user who is signed in does not name the user: %v", err)
	}
	for _, page := range []string{"/account/login/code", "/account/login/recovery"} {
		if !slices.ContainsFunc(list, func(e record.Event) bool { return e.Name == "factor_refused" && e.Endpoint == page }) {
			t.Errorf("%s: a refusal in a login does not name the user", page)
		}
	}
}

// withoutQuery matches the query in links to the page itself.
var withoutQuery = regexp.MustCompile(`\?[^"<]*`)

// Opening a page of a link checks the token, so it is limited as the form is, and
// every invalid link has the same page.
func TestPagesOfLinksAreLimited(t *testing.T) {
	for _, page := range []string{"activate", "reset/confirm", "email/confirm", "email/undo", "username/confirm"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel() // each response to a link takes a while
			s := newSite(t, pages.Options{})
			s.gate.User("alice")
			bodies, limited := map[string]bool{}, 0
			for _, link := range []string{"?uid=MQ&token=x", "?uid=OTk5&token=cl0b7v-0123456789abcdef0123456789abcdef", "?uid=%21&token=x", "?uid=&token=", "?"} {
				got := s.get("/account/" + page + link)
				bodies[withoutQuery.ReplaceAllString(got.body, "")] = true
				if got.status != http.StatusOK {
					t.Errorf("%s: %d", link, got.status)
				}
			}
			if len(bodies) != 1 {
				t.Errorf("%d different pages of invalid links", len(bodies))
			}
			for range 60 {
				if got := s.get("/account/" + page + "?uid=MQ&token=x"); got.status == http.StatusTooManyRequests {
					limited++
				}
			}
			if limited == 0 {
				t.Error("65 links were checked for one network in one hour")
			}
		})
	}
}

// What the API asks a user with a second factor for, the pages ask for, too: a
// session that is older than ten minutes changes nothing by the password alone. The
// username needs a recent login in every case.
func TestPagesProtectAccounts(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	rename := []string{"username", "alice2", "first_name", "", "last_name", ""}
	s.gate.Clock.Advance(11 * time.Minute)
	s.is(s.post("/account/", rename...), 200, "/account/again?next=%2Faccount%2F", "Confirm that it is you")
	s.is(s.post("/account/again?next=%2Faccount%2F", "password", jotgatetest.Password), 200, "/account/", "Profile")
	s.is(s.post("/account/", rename...), 200, "/account/?done=saved", "Profile")

	a := s.enrol(s.get("/account/security/app"))
	s.gate.Clock.Advance(time.Minute)
	a.add(a.code())
	for path, form := range map[string][]string{
		"password":     {"password", jotgatetest.Password, "new_password", long},
		"emails":       {"password", jotgatetest.Password, "email", "new@example.com"},
		"data":         {"password", jotgatetest.Password},
		"security":     {"codes", "1"},
		"security/app": {"token", "x", "code", "123456"},
		"":             {"username", "alice3"},
	} {
		again := "/account/again?next=" + strings.ReplaceAll("/account/"+path, "/", "%2F")
		s.is(s.post("/account/"+path, form...), 200, again, "Confirm that it is you")
	}
	account, err := s.gate.Store().Accounts().ByLogin(t.Context(), "alice2")
	if err != nil || account.Email != "alice@example.com" {
		t.Errorf("%+v, %v", account, err)
	}
	if err := s.gate.Accounts().CheckPassword(t.Context(), account, jotgatetest.Password); err != nil {
		t.Error(err)
	}
}

var (
	passwordField = regexp.MustCompile(`<input[^>]*name="(?:new_)?password"[^>]*>`)
	masked        = regexp.MustCompile(`type="password"`)
	forManagers   = regexp.MustCompile(`autocomplete="(?:current|new)-password"`)
)

// Password fields are masked, and are of the kind that password managers fill in;
// nothing on the page forbids to paste.
func TestPasswordFields(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	account := s.link("reset/confirm", record.MessagePasswordReset, "alice")
	for _, path := range []string{"/account/login", "/account/signup", account, "/account/password", "/account/emails", "/account/data"} {
		if path == "/account/password" {
			s.signIn("alice")
		}
		page := s.get(path)
		found := passwordField.FindAllString(page.body, -1)
		if len(found) == 0 || strings.Contains(page.body, "onpaste") {
			t.Errorf("%s: %d password fields", path, len(found))
		}
		for _, field := range found {
			if !masked.MatchString(field) || !forManagers.MatchString(field) {
				t.Errorf("%s: %s", path, field)
			}
		}
	}
}
