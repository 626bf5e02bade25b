package pages_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// Every link, form, file and redirect of the pages follows what was removed before
// their path: by a gateway that BaseURL names, by http.StripPrefix, or by neither
// because a prefix of this server is forwarded.
func TestPagesUnderAPath(t *testing.T) {
	for name, c := range map[string]struct {
		settings      api.Settings
		path          string // Options.Path
		alone         bool   // without an API
		strip, public string
	}{
		"gateway removes it":          {settings: api.Settings{BaseURL: "https://example.com/accounts"}, public: "/accounts/account/"},
		"gateway removes it, alone":   {settings: api.Settings{BaseURL: "https://example.com/accounts/"}, alone: true, public: "/accounts/account/"},
		"gateway forwards it":         {settings: api.Settings{BaseURL: "https://example.com/accounts", Prefix: "/accounts"}, path: "/accounts/account/", public: "/accounts/account/"},
		"gateway changes it":          {settings: api.Settings{BaseURL: "https://example.com/a/b", Prefix: "/x"}, path: "/x/account/", public: "/a/b/account/"},
		"http.StripPrefix":            {strip: "/v1", public: "/v1/account/"},
		"http.StripPrefix, alone":     {strip: "/v1/users", alone: true, public: "/v1/users/account/"},
		"no path":                     {settings: api.Settings{BaseURL: "https://example.com"}, public: "/account/"},
		"pages outside of the prefix": {settings: api.Settings{BaseURL: "https://example.com/api", Prefix: "/api"}, public: "/account/"},
	} {
		t.Run(name, func(t *testing.T) {
			gate := jotgatetest.New(t).Gate
			o := pages.Options{Path: c.path, BaseURL: c.settings.BaseURL}
			if !c.alone {
				endpoints, err := api.New(gate, c.settings)
				if err != nil {
					t.Fatal(err)
				}
				o.API = endpoints
			}
			p, err := pages.New(gate, o)
			if err != nil {
				t.Fatal(err)
			}
			own := c.path
			if own == "" {
				own = "/account/"
			}
			var handler http.Handler = p
			if c.strip != "" {
				handler, own = http.StripPrefix(c.strip, p), c.strip+own
			}
			checkPaths(t, handler, own, c.public)
		})
	}
}

var linksOfAPage = regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`)

// checkPaths asks at the paths below own, as a gateway does, and expects links
// below public.
func checkPaths(t *testing.T, handler http.Handler, own, public string) {
	t.Helper()
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), "GET", own+path, nil)
		r.Host = "example.com"
		handler.ServeHTTP(w, r)
		return w
	}
	for _, page := range []string{"login", "signup", "reset", "nonsense"} {
		links := linksOfAPage.FindAllStringSubmatch(get(page).Body.String(), -1)
		if len(links) == 0 {
			t.Errorf("%s has no links", page)
		}
		for _, link := range links {
			rest, ok := strings.CutPrefix(link[1], public)
			if !ok {
				t.Errorf("%s: the link %s is not below %s", page, link[1], public)
			} else if strings.HasPrefix(rest, "static/") && get(rest).Code != http.StatusOK {
				t.Errorf("%s: there is no %s", page, link[1])
			}
		}
	}
	for page, want := range map[string]string{
		"":             public + "login?next=" + escaped(public),
		"password?a=b": public + "login?next=" + escaped(public+"password?a=b"),
	} {
		if got := get(page).Header().Get("Location"); got != want {
			t.Errorf("%s leads to %s, want %s", page, got, want)
		}
	}
}

func escaped(path string) string {
	return strings.NewReplacer("/", "%2F", "?", "%3F", "=", "%3D").Replace(path)
}
