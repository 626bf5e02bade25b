package pages_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// site is a server with pages and a browser without scripts.
type site struct {
	*testing.T
	gate   *jotgatetest.Gate
	pages  *pages.Pages
	server *httptest.Server
	jar    http.CookieJar
	kept   []*http.Cookie // as the server set them, the last ones
}

func newSite(t *testing.T, o pages.Options, changes ...func(*jotgate.Settings)) *site {
	t.Helper()
	s := &site{T: t, gate: jotgatetest.New(t, changes...)}
	var err error
	if s.pages, err = pages.New(s.gate.Gate, o); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(s.pages)
	t.Cleanup(s.server.Close)
	s.fresh()
	return s
}

// fresh is another browser.
func (s *site) fresh() { s.jar, _ = cookiejar.New(nil) }

// shown is what the browser shows after all redirects.
type shown struct {
	status int
	path   string // with the query
	header http.Header
	body   string
}

func (s *site) send(r *http.Request) shown {
	s.Helper()
	return s.do(&http.Client{Jar: secureJar{s.jar, s}}, r)
}

func (s *site) do(client *http.Client, r *http.Request) shown {
	s.Helper()
	response, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return shown{response.StatusCode, response.Request.URL.RequestURI(), response.Header, string(body)}
}

// secureJar sends Secure cookies to this machine over plain HTTP, as browsers
// do.
type secureJar struct {
	http.CookieJar
	site *site
}

func (j secureJar) SetCookies(u *url.URL, list []*http.Cookie) {
	j.site.kept = list
	j.CookieJar.SetCookies(encrypted(u), list)
}
func (j secureJar) Cookies(u *url.URL) []*http.Cookie { return j.CookieJar.Cookies(encrypted(u)) }

func encrypted(u *url.URL) *url.URL {
	c := *u
	c.Scheme = "https"
	return &c
}

func (s *site) get(path string) shown {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "none")
	return s.send(r)
}

// post submits a form of the page at the path. The fields are alternating names
// and values.
func (s *site) post(path string, fields ...string) shown {
	s.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.send(s.form(path, form, s.server.URL))
}

// form is the request of a form at a page of origin.
func (s *site) form(path string, form url.Values, origin string) *http.Request {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPost, s.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if origin != s.server.URL {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	r.Header.Set("Origin", origin)
	return r
}

var heading = regexp.MustCompile(`<h1>([^<]*)</h1>`)

// is fails the test unless the page has this status, path and heading.
func (s *site) is(got shown, status int, path, title string) {
	s.Helper()
	found := ""
	if m := heading.FindStringSubmatch(got.body); m != nil {
		found = m[1]
	}
	if got.status != status || got.path != path || found != title {
		s.Fatalf("status %d, path %s, heading %q; want %d, %s, %q\n%s", got.status, got.path, found, status, path, title, got.body)
	}
}

// link is the path of a link in an e-mail of this kind to the account.
func (s *site) link(page string, kind record.MessageKind, username string) string {
	s.Helper()
	account, err := s.gate.Store().Accounts().ByLogin(s.Context(), username)
	if err != nil {
		s.Fatal(err)
	}
	uid, token := s.gate.Links().Parts(kind, account)
	if token == "" {
		s.Fatalf("there is no link of the kind %s", kind)
	}
	return "/account/" + page + "?uid=" + uid + "&token=" + token
}

// signIn signs in a new browser as a user of jotgatetest.
func (s *site) signIn(username string) {
	s.Helper()
	s.fresh()
	s.is(s.post("/account/login", "username", username, "password", jotgatetest.Password), 200, "/account/", "Profile")
}
