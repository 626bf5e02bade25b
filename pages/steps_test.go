package pages_test

import (
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

var (
	hidden   = regexp.MustCompile(`name="(token|secret|url)" value="([^"]*)"`)
	recovery = regexp.MustCompile(`<li><code>([^<]+)</code>`)
)

// app is an authenticator app with the secret that a page shows.
type app struct {
	*site
	fields map[string]string
}

func (s *site) enrol(page shown) app {
	s.Helper()
	a := app{s, map[string]string{}}
	for _, m := range hidden.FindAllStringSubmatch(page.body, -1) {
		a.fields[m[1]] = html.UnescapeString(m[2])
	}
	if a.fields["secret"] == "" || !strings.Contains(page.body, "<svg") {
		s.Fatalf("no secret on the page:\n%s", page.body)
	}
	return a
}

// code is what the app shows now.
func (a app) code() string {
	code, err := totp.Code(a.fields["secret"], totp.Step(a.gate.Clock.Now()))
	if err != nil {
		a.Fatal(err)
	}
	return code
}

// add confirms the app and returns the recovery codes.
func (a app) add(code string) shown {
	return a.post("/account/security/app", "token", a.fields["token"], "secret", a.fields["secret"], "url", a.fields["url"], "code", code)
}

func TestAuthenticatorApp(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	a := s.enrol(s.get("/account/security/app"))
	wrong := a.add("000000")
	s.is(wrong, 422, "/account/security/app", "Set up an authenticator app")
	if again := s.enrol(wrong); again.fields["secret"] != a.fields["secret"] {
		t.Error("a wrong code changes the secret")
	}
	s.gate.Clock.Advance(time.Minute)
	added := a.add(a.code())
	s.is(added, 200, "/account/security/app", "Save your recovery codes")
	codes := recovery.FindAllStringSubmatch(added.body, -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	s.is(a.add(a.code()), 200, "/account/again?next=%2Faccount%2Fsecurity%2Fapp", "Confirm that it is you") // the session has one factor

	// A login now has a second step, which Back and two tabs do not disturb.
	s.fresh()
	s.gate.Clock.Advance(time.Minute)
	password := []string{"username", "alice", "password", jotgatetest.Password}
	s.is(s.post("/account/login?next=%2Faccount%2Fsessions", password...), 200, "/account/login/code?next=%2Faccount%2Fsessions", "Enter your code")
	s.is(s.get("/account/sessions"), 200, "/account/login?next=%2Faccount%2Fsessions", "Sign in")
	s.is(s.post("/account/login/code?next=%2Faccount%2Fsessions", "code", "000000"), 422, "/account/login/code?next=%2Faccount%2Fsessions", "Enter your code")
	s.gate.Clock.Advance(time.Minute)
	right := a.code()
	s.is(s.post("/account/login/code?next=%2Faccount%2Fsessions", "code", right[:3]+" "+right[3:]), 200, "/account/sessions", "Sessions")
	s.is(s.post("/account/login/code?next=%2Faccount%2Fsessions", "code", right), 200, "/account/sessions", "Sessions") // a double click
	s.is(s.get("/account/login/code"), 200, "/account/", "Profile")                                                     // Back

	// A recovery code works once.
	for i, want := range []string{"/account/", "/account/login/recovery"} {
		s.fresh()
		s.post("/account/login", password...)
		s.gate.Clock.Advance(time.Minute)
		if got := s.post("/account/login/recovery", "recovery_code", codes[0][1]); got.path != want {
			t.Errorf("use %d of a recovery code leads to %s", i+1, got.path)
		}
	}

	// An expired step begins again, and so does a step without a login.
	s.fresh()
	s.post("/account/login", password...)
	s.gate.Clock.Advance(16 * time.Minute)
	s.is(s.post("/account/login/code", "code", a.code()), 200, "/account/login?done=expired", "Sign in")
	s.is(s.post("/account/login/code", "code", a.code()), 200, "/account/login", "Sign in")
}

// Where the policy demands a second factor, the login sets it up.
func TestEnrolmentInTheLogin(t *testing.T) {
	s := newSite(t, pages.Options{}, func(s *jotgate.Settings) { s.RequireMFA = jotgate.MFAAll })
	s.gate.User("alice")
	page := s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
	s.is(page, 200, "/account/login/enrol", "Set up a second step")
	a := s.enrol(page)
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	send := func(code string) shown {
		return s.post("/account/login/enrol", "token", a.fields["token"], "secret", a.fields["secret"], "url", a.fields["url"], "code", code)
	}
	s.is(send("000000"), 422, "/account/login/enrol", "Set up a second step")
	s.gate.Clock.Advance(time.Minute)
	s.is(send(a.code()), 200, "/account/login/enrol", "Save your recovery codes")
	s.is(send(a.code()), 200, "/account/", "Profile") // a double click
	s.is(s.get("/account/security"), 200, "/account/security", "Security")
}

// A change of the second factors needs a recent proof, and raises the session to
// a new one.
func TestAgain(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	s.gate.Clock.Advance(11 * time.Minute)
	const back = "?next=%2Faccount%2Fsecurity%2Fapp"
	s.is(s.get("/account/security/app"), 200, "/account/again"+back, "Confirm that it is you")
	s.is(s.post("/account/security", "codes", "new"), 200, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	s.is(s.post("/account/again"+back, "password", "wrong"), 422, "/account/again"+back, "Confirm that it is you")
	before := s.cookie()
	s.is(s.post("/account/again"+back, "password", jotgatetest.Password), 200, "/account/security/app", "Set up an authenticator app")
	if s.cookie() == before {
		t.Error("the session is still the same")
	}
	if list, _ := s.gate.Sessions().List(t.Context(), "1"); len(list) != 1 {
		t.Errorf("%d sessions", len(list))
	}
}

// cookie is the value of the session's cookie.
func (s *site) cookie() string {
	r, _ := http.NewRequest(http.MethodGet, s.server.URL, nil)
	for _, c := range s.jar.Cookies(encrypted(r.URL)) {
		if c.Name == "__Host-jotgate" {
			return c.Value
		}
	}
	return ""
}
