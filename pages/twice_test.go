package pages_test

import (
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// filled is a form as a user has filled it in.
type filled struct {
	path   string
	fields []string
}

// form of a page below /account/, whose fields are alternating names and values.
func formOf(page string, fields ...string) filled { return filled{"/account/" + page, fields} }

// step is a site at which a login waits for a second factor.
func (s *providerSite) step() app {
	s.Helper()
	s.gate.User("alice")
	s.signIn("alice")
	a := s.enrol(s.get("/account/security/app"))
	s.gate.Clock.Advance(time.Minute)
	codes := recovery.FindAllStringSubmatch(a.add(a.code()).body, -1)
	a.fields["recovery"] = codes[0][1]
	s.fresh()
	s.gate.Clock.Advance(time.Minute)
	s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
	return a
}

// passkeyStep is a site at which a login waits for a passkey, or for the password after one.
func (s *providerSite) passkeyStep(verifies bool) filled {
	s.Helper()
	alice := s.gate.User("alice")
	d := newDevice(s.T, alice, verifies)
	s.register(d, alice, jotgate.PasskeyUse{SecondFactor: true})
	d.auth.Options.UserNotVerified = false
	if verifies {
		s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
	}
	page := map[bool]string{true: "login/passkey", false: "login"}[verifies]
	options, pending := s.ceremony(s.get("/account/" + page))
	form := formOf(page, "pending", pending, "credential", d.get(options))
	if !verifies {
		s.post(form.path, form.fields...)
		form = formOf("login/password", "password", jotgatetest.Password)
	}
	return form
}

// member is a form of a user who has just signed in.
func member(page string, fields ...string) func(*providerSite) filled {
	return func(s *providerSite) filled {
		s.gate.User("alice")
		s.signIn("alice")
		return formOf(page, fields...)
	}
}

// emailed is the form behind the link of an e-mail.
func emailed(page string, kind record.MessageKind, fields ...string) func(*providerSite) filled {
	return func(s *providerSite) filled {
		s.gate.User("alice")
		return filled{s.link(page, kind, "alice"), fields}
	}
}

// forms are a form for each page that has one.
var forms = map[string]func(*providerSite) filled{
	"login": func(s *providerSite) filled {
		s.gate.User("alice")
		return formOf("login", "username", "alice", "password", jotgatetest.Password)
	},
	"login/code": func(s *providerSite) filled {
		a := s.step()
		return formOf("login/code", "code", a.code())
	},
	"login/recovery": func(s *providerSite) filled {
		return formOf("login/recovery", "recovery_code", s.step().fields["recovery"])
	},
	"login/passkey":  func(s *providerSite) filled { return s.passkeyStep(true) },
	"login/password": func(s *providerSite) filled { return s.passkeyStep(false) },
	"login/enrol": func(s *providerSite) filled {
		s.gate.User("alice")
		a := s.enrol(s.post("/account/login", "username", "alice", "password", jotgatetest.Password))
		return formOf("login/enrol", "token", a.fields["token"], "secret", a.fields["secret"], "url", a.fields["url"], "code", a.code())
	},
	"login/enrol-passkey": func(s *providerSite) filled {
		alice := s.gate.User("alice")
		s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
		options, pending := s.ceremony(s.get("/account/login/enrol-passkey"))
		return formOf("login/enrol-passkey", "pending", pending, "credential", newDevice(s.T, alice, true).create(options))
	},
	"login/new-password": func(s *providerSite) filled {
		s.gate.User("alice")
		s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
		return formOf("login/new-password", "new_password", long)
	},
	"code": emailedTo("code"),
	"code/confirm": func(s *providerSite) filled {
		s.gate.User("alice")
		s.post("/account/code", "email", "alice@example.com")
		return formOf("code/confirm", "email_code", s.sentCode("alice"))
	},
	"invitation": func(s *providerSite) filled {
		_, link := s.invite("ada@example.com")
		return filled{link, []string{"username", "ada", "password", long}}
	},
	"provider": func(*providerSite) filled { return formOf("provider", "provider", "example") },
	"provider/signup": func(s *providerSite) filled {
		s.user("1", "ada@example.com", true)
		s.provide()
		return formOf("provider/signup", "username", "ada")
	},
	"signup": func(*providerSite) filled {
		return formOf("signup", "username", "bob", "email", "bob@example.com", "password", long)
	},
	"activate": func(s *providerSite) filled {
		in := jotgate.Registration{Username: "alice", Email: "alice@example.com", Password: long, Activate: true}
		if _, err := s.gate.Register(s.Context(), in, jotgate.Client{}); err != nil {
			s.Fatal(err)
		}
		return filled{s.link("activate", record.MessageActivation, "alice"), []string{"password", long}}
	},
	"resend":           emailedTo("resend"),
	"reset":            emailedTo("reset"),
	"reset/confirm":    emailed("reset/confirm", record.MessagePasswordReset, "new_password", long),
	"username/confirm": emailed("username/confirm", record.MessageUsernameReset, "username", "alice2"),
	"email/confirm":    confirmForm,
	"email/undo": func(s *providerSite) filled {
		form := confirmForm(s)
		s.post(form.path)
		return filled{s.emailLink("email/undo", record.MessageEmailChanged, "alice@example.com"), []string{"username", "alice"}}
	},
	"delete/undo": func(s *providerSite) filled {
		form := member("data", "password", jotgatetest.Password)(s)
		s.post(form.path, form.fields...)
		return filled{s.link("delete/undo", record.MessageDeletion, "alice"), []string{"username", "alice"}}
	},
	"logout":   member("logout"),
	"":         member("", "username", "alice2", "first_name", "Alice", "last_name", "Liddell"),
	"password": member("password", "password", jotgatetest.Password, "new_password", long),
	"emails":   member("emails", "email", "new@example.com", "password", jotgatetest.Password),
	"security": func(s *providerSite) filled {
		a := s.step()
		s.post("/account/login/code", "code", a.code())
		return formOf("security", "codes", "1")
	},
	"security/app": func(s *providerSite) filled {
		member("")(s)
		a := s.enrol(s.get("/account/security/app"))
		return formOf("security/app", "token", a.fields["token"], "secret", a.fields["secret"], "url", a.fields["url"], "code", a.code())
	},
	"security/passkey": func(s *providerSite) filled {
		alice := s.gate.User("alice")
		s.signIn("alice")
		options, pending := s.ceremony(s.get("/account/security/passkey"))
		return formOf("security/passkey", "pending", pending, "credential", newDevice(s.T, alice, true).create(options), "second", "1")
	},
	"again": member("again", "password", jotgatetest.Password),
	"sessions": func(s *providerSite) filled {
		s.gate.User("alice")
		s.signIn("alice")
		s.signIn("alice")
		return formOf("sessions", "others", "1")
	},
	"data":        member("data", "password", jotgatetest.Password),
	"data/export": member("data/export"),
}

// confirmForm is the form behind the link of an e-mail to a new address.
func confirmForm(s *providerSite) filled {
	form := member("emails", "email", "new@example.com", "password", jotgatetest.Password)(s)
	s.post(form.path, form.fields...)
	return filled{s.emailLink("email/confirm", record.MessageEmailChange, "new@example.com"), nil}
}

func emailedTo(page string) func(*providerSite) filled {
	return func(s *providerSite) filled {
		s.gate.User("alice", func(a *record.Account) { a.IsActive = page != "resend" })
		return formOf(page, "email", "alice@example.com")
	}
}

// emailLink is the link in an e-mail to an address that is not the account's.
func (s *site) emailLink(page string, kind record.MessageKind, address string) string {
	s.Helper()
	account, err := s.gate.Store().Accounts().ByLogin(s.Context(), "alice")
	if err != nil {
		s.Fatal(err)
	}
	account.Email = address
	uid, token := s.gate.Links().Parts(kind, account)
	return "/account/" + page + "?uid=" + uid + "&token=" + token
}

// twiceSite is a site with everything that a form may need.
func twiceSite(t *testing.T, page string) *providerSite {
	o := pages.Options{DeletionDelay: 7 * 24 * time.Hour}
	return newProviderSite(t, o, withPasskeys, codesOn, func(s *jotgate.Settings) {
		switch page {
		case "login/enrol", "login/enrol-passkey":
			s.RequireMFA = jotgate.MFAAll
		case "login/new-password":
			s.BreachedAtLogin = leaked{jotgatetest.Password}
		}
	})
}

// state is what a form has changed: the events, the sessions and the e-mails.
func (s *site) state() map[string]int {
	s.Helper()
	count := map[string]int{}
	for _, e := range s.trail() {
		count[e.Name+" "+e.Outcome]++
	}
	sessions, err := s.gate.Sessions().List(s.Context(), "1")
	if err != nil {
		s.Fatal(err)
	}
	count["sessions"] = len(sessions)
	emails, err := s.gate.Store().Outbox().Due(s.Context(), s.gate.Clock.Now().Add(time.Hour), 1000, 0)
	if err != nil {
		s.Fatal(err)
	}
	count["emails"] = len(emails)
	return count
}

// harmless fails the test if the browser shows a page of an error.
func (s *site) harmless(what string, got shown) {
	s.Helper()
	m := heading.FindStringSubmatch(got.body)
	file := got.header.Get("Content-Disposition") != ""
	wait := got.status == http.StatusTooManyRequests && got.header.Get("Retry-After") != "" // the form, which says how long
	if got.status != http.StatusOK && got.status != http.StatusUnprocessableEntity && !wait || m == nil && !file || m != nil && m[1] == "Something went wrong" {
		s.Errorf("%s: %d %s\n%s", what, got.status, got.path, got.body)
	}
}

// twice sends a form twice at the same time, with the cookies of now, and returns what
// the browser shows after each response.
func (s *site) twice(form filled) []shown {
	s.Helper()
	u, err := url.Parse(s.server.URL)
	if err != nil {
		s.Fatal(err)
	}
	cookies := s.jar.Cookies(encrypted(u))
	fields := url.Values{}
	for i := 0; i < len(form.fields); i += 2 {
		fields.Set(form.fields[i], form.fields[i+1])
	}
	responses := make([]*http.Response, 2)
	var both sync.WaitGroup
	for i := range responses {
		r := s.form(form.path, fields, s.server.URL)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		both.Go(func() { responses[i], _ = http.DefaultTransport.RoundTrip(r) })
	}
	both.Wait()
	var list []shown
	for _, response := range responses { // the browser has one jar, and follows the last one
		if response == nil {
			s.Fatal("no response")
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil {
			s.Fatal(err)
		}
		s.jar.SetCookies(encrypted(u), response.Cookies())
		got := shown{response.StatusCode, form.path, response.Header, string(body)}
		if to := response.Header.Get("Location"); to != "" {
			got = s.get(html.UnescapeString(to))
		}
		list = append(list, got)
	}
	return list
}

// Every form of every page that is sent twice at the same time does once what it is for,
// and neither response leads to the page of an error.
func TestDoubleClick(t *testing.T) {
	for _, page := range pages.AllPages() {
		prepare := forms[page.Path]
		if !page.Form || page.JSON || page.External {
			continue
		}
		if prepare == nil {
			t.Errorf("the test has no form of the page %q", page.Path)
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			one, two := twiceSite(t, page.Path), twiceSite(t, page.Path)
			single := one.submit(prepare(one))
			if single.status != http.StatusOK {
				t.Fatalf("the form is not accepted: %d %s\n%s", single.status, single.path, single.body)
			}
			want := one.state()
			form := prepare(two)
			for i, got := range two.twice(form) {
				two.harmless(fmt.Sprintf("response %d", i+1), got)
				if got.status != single.status || got.path != single.path {
					t.Errorf("response %d leads to %d %s; one alone to %d %s", i+1, got.status, got.path, single.status, single.path)
				}
			}
			if got := two.state(); !maps.Equal(got, want) {
				t.Errorf("two requests do %v\none does %v", got, want)
			}
		})
	}
}

// submit sends a form once.
func (s *site) submit(form filled) shown {
	s.Helper()
	return s.post(form.path, form.fields...)
}

// A form that is sent again after its response (Back, or Reload), after its user has
// signed out in another tab, after an hour, after a month or without its fields, and a GET
// of its address never lead to the page of an error.
func TestOldForms(t *testing.T) {
	for _, page := range pages.AllPages() {
		if page.JSON {
			continue
		}
		prepare := forms[page.Path]
		if prepare == nil {
			prepare = member(page.Path)
		}
		if page.External {
			continue
		}
		t.Run(page.Path, func(t *testing.T) {
			t.Parallel()
			s := twiceSite(t, page.Path)
			form := prepare(s)
			s.harmless("get", s.get(form.path))
			if !page.Form {
				return
			}
			s.harmless("empty", s.post(form.path))
			s.submit(form)
			s.harmless("again", s.submit(form))
			s.harmless("back", s.get(form.path))
			s.gate.Clock.Advance(31 * 24 * time.Hour)
			s.harmless("after a month", s.submit(form))

			s = twiceSite(t, page.Path)
			form = prepare(s)
			s.gate.Clock.Advance(time.Hour)
			s.harmless("after an hour", s.submit(form))
			s.endAll()
			s.harmless("signed out elsewhere", s.submit(form))
			s.harmless("back", s.get(form.path))
		})
	}
}

// endAll ends the sessions of the first account, as another browser would.
func (s *site) endAll() {
	s.Helper()
	list, err := s.gate.Sessions().List(s.Context(), "1")
	if err != nil {
		s.Fatal(err)
	}
	for _, session := range slices.Clone(list) {
		if err := s.gate.Sessions().End(s.Context(), "1", session.ID, jotgate.Client{}); err != nil {
			s.Fatal(err)
		}
	}
}
