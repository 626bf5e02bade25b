package pages_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

func codesOn(g *jotgate.Settings) { g.LoginCodes = true }

// sentCode is the code that is sent to the user.
func (s *site) sentCode(username string) string {
	s.Helper()
	account, err := s.gate.Store().Accounts().ByLogin(s.Context(), username)
	if err != nil {
		s.Fatal(err)
	}
	_, code := s.gate.Links().Parts(record.MessageLoginCode, account)
	if code == "" {
		s.Fatalf("no code is sent to %s", username)
	}
	return code
}

func TestEmailCode(t *testing.T) {
	s := newSite(t, pages.Options{}, codesOn)
	s.gate.User("alice")
	s.fresh()
	if page := s.get("/account/login?next=%2Faccount%2Fsessions"); !strings.Contains(page.body, `href="/account/code?next=%2Faccount%2Fsessions"`) {
		t.Fatalf("the login does not offer a code:\n%s", page.body)
	}
	s.is(s.get("/account/code"), 200, "/account/code", "Sign in with a code")
	sent := s.post("/account/code?next=%2Faccount%2Fsessions", "email", "alice@example.com", "keep", "1")
	s.is(sent, 200, "/account/code/confirm?next=%2Faccount%2Fsessions", "Enter the code")
	code := s.sentCode("alice")
	wrong := s.post("/account/code/confirm?next=%2Faccount%2Fsessions", "email_code", "BBBB-BBBB")
	s.is(wrong, 422, "/account/code/confirm?next=%2Faccount%2Fsessions", "Enter the code")
	if !strings.Contains(wrong.body, "This code is wrong.") {
		t.Error(wrong.body)
	}
	s.is(s.post("/account/code/confirm?next=%2Faccount%2Fsessions", "email_code", strings.ToLower(code)), 200, "/account/sessions", "Sessions")
	if c := s.kept[len(s.kept)-1]; c.Name != "__Host-jotgate" || c.MaxAge <= 0 {
		t.Errorf("keep me signed in: %v", c)
	}
}

// The link in the e-mail fills the code in, in the browser that requested it, and never
// signs in, however often and by whatever method programs open it. In another browser
// it shows what to type, and no form.
func TestEmailCodeLink(t *testing.T) {
	s := newSite(t, pages.Options{}, codesOn)
	s.gate.User("alice")
	s.fresh()
	s.post("/account/code", "email", "alice@example.com")
	code, own := s.sentCode("alice"), s.jar
	link := "/account/code/confirm?code=" + code
	s.fresh() // a scanner of e-mails
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodOptions} {
		r, _ := http.NewRequestWithContext(t.Context(), method, s.server.URL+link, nil)
		r.Header.Set("Sec-Purpose", "prefetch")
		s.send(r)
	}
	elsewhere := s.get(link)
	s.is(elsewhere, 200, link, "Enter the code")
	if strings.Contains(elsewhere.body, "<form") || !strings.Contains(elsewhere.body, "<strong>"+code+"</strong>") || elsewhere.header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("in another browser: %v\n%s", elsewhere.header, elsewhere.body)
	}
	// A scanner that presses buttons, or a thief who got the e-mail.
	s.is(s.post("/account/code/confirm", "email_code", code), 200, "/account/login", "Sign in")
	if n := s.sessions("alice"); n != 0 {
		t.Fatalf("%d sessions", n)
	}
	for query, shown := range map[string]bool{"code=%3Cb%3E": false, "code=AAAA-AAAA": false, "code=" + strings.ToLower(code): true} {
		if body := s.get("/account/code/confirm?" + query).body; strings.Contains(body, "<strong>") != shown {
			t.Errorf("%s:\n%s", query, body)
		}
	}
	s.jar = own
	filled := s.get(link)
	if !strings.Contains(filled.body, `value="`+code+`"`) || s.sessions("alice") != 0 {
		t.Errorf("in the browser that requested it:\n%s", filled.body)
	}
	s.is(s.post("/account/code/confirm", "email_code", code), 200, "/account/", "Profile")
}

// A known and an unknown address have the same pages, and so have the attempts: the
// fourth begins again, even if it is right.
func TestEmailCodeAttempts(t *testing.T) {
	s := newSite(t, pages.Options{}, codesOn)
	s.gate.User("alice")
	var bodies [2]string
	for i, email := range []string{"alice@example.com", "nobody@example.com"} {
		s.fresh()
		first := s.post("/account/code", "email", email)
		s.is(first, 200, "/account/code/confirm", "Enter the code")
		bodies[i] = first.body
		for _, code := range []string{"BBBB-BBBB", "CCCC-CCCC", "DDDD-DDDD"} {
			wrong := s.post("/account/code/confirm", "email_code", code)
			s.is(wrong, 422, "/account/code/confirm", "Enter the code")
			bodies[i] += wrong.body
		}
		s.is(s.post("/account/code/confirm", "email_code", s.sentCode("alice")), 200, "/account/login?done=expired", "Sign in")
	}
	if bodies[0] != bodies[1] {
		t.Errorf("the pages differ:\n%s\n%s", bodies[0], bodies[1])
	}
	if n := s.sessions("alice"); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// The second factor is still due; the page for the code leads to it.
func TestEmailCodeSecondFactor(t *testing.T) {
	s := newSite(t, pages.Options{}, codesOn, func(g *jotgate.Settings) { g.RequireMFA = jotgate.MFAAll })
	s.gate.User("alice")
	s.fresh()
	s.post("/account/code", "email", "alice@example.com")
	code := s.sentCode("alice")
	s.is(s.post("/account/code/confirm", "email_code", code), 200, "/account/login/enrol", "Set up a second step")
	if n := s.sessions("alice"); n != 0 {
		t.Fatalf("%d sessions", n)
	}
	s.is(s.get("/account/code/confirm?code="+code), 200, "/account/login/enrol", "Set up a second step")
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
}

// Without the setting there are no such pages.
func TestEmailCodeOff(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.fresh()
	if strings.Contains(s.get("/account/login").body, "/account/code") {
		t.Error("the login offers a code")
	}
	for _, page := range []string{"/account/code", "/account/code/confirm"} {
		if got := s.get(page); got.status != 404 {
			t.Errorf("GET %s: %d", page, got.status)
		}
		if got := s.post(page, "email", "alice@example.com", "email_code", "BBBB-BBBB"); got.status != 404 {
			t.Errorf("POST %s: %d", page, got.status)
		}
	}
}

// A page of another site cannot request codes, nor use one.
func TestEmailCodeOtherSite(t *testing.T) {
	s := newSite(t, pages.Options{}, codesOn)
	s.gate.User("alice")
	s.fresh()
	for _, path := range []string{"/account/code", "/account/code/confirm"} {
		form := url.Values{"email": {"alice@example.com"}, "email_code": {"BBBB-BBBB"}}
		if got := s.send(s.form(path, form, "https://evil.example")); got.status != 403 {
			t.Errorf("%s: %d", path, got.status)
		}
	}
}
