package pages_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

// The pages cannot be at a path that hides endpoints of their API. Each rejected
// path has an accepted neighbour.
func TestPathsOfOptions(t *testing.T) {
	gate := jotgatetest.New(t).Gate
	for _, c := range []struct{ prefix, path, says string }{
		{"", "/auth/", "would hide the endpoints below /auth/"},
		{"", "/auth-pages/", ""},
		{"", "/auth/pages/", "would hide the endpoints below /auth/"},
		{"", "/pages/auth/", ""},
		{"", "/api/", "would hide the endpoints below /api/token/"},
		{"", "/api/pages/", ""},
		{"/accounts", "/accounts/", "would hide the endpoints below /accounts/.well-known/"},
		{"/accounts", "/accounts/pages/", ""},
		{"/accounts", "/accounts/o/", "would hide the endpoints below /accounts/o/"},
		{"/accounts", "/o/", ""},
		{"/accounts", "/.well-known/", "would hide the endpoints below /.well-known/"},
		{"/accounts", "/livez/", "would hide the endpoints below /livez/"},
		{"", "/a//b/", "must be a path such as /account/"},
		{"", "/a/b/", ""},
		{"", "/a/b", "must be a path such as /account/"},
		{"", "/{b}/", "must be a path such as /account/"},
		{"", "/b/", ""},
		{"none", "/auth/", ""}, // pages without an API hide nothing
		{"none", "/a/../b/", "must be a path such as /account/"},
	} {
		o := pages.Options{Path: c.path}
		if c.prefix != "none" {
			endpoints, err := api.New(gate, api.Settings{Prefix: c.prefix})
			if err != nil {
				t.Fatal(err)
			}
			o.API = endpoints
		}
		_, err := pages.New(gate, o)
		if (err == nil) != (c.says == "") || err != nil && (!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `pages: Path: "`+c.path+`"`)) {
			t.Errorf("prefix %q, path %q: %v; want %q", c.prefix, c.path, err, c.says)
		}
	}
}
