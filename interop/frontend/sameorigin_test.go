package frontend

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/interop/serve"
)

// An application on the origin of its API, which its developer builds from docs/pages.md and examples/browser: the pages
// sign its users in, and it has an access token of the pages, or tokens of its own.
func TestSameOrigin(t *testing.T) {
	upstream := "http://" + freeport.Address(t)
	server := serve.Start(t, serve.Options{Args: []string{"--upstream", upstream, "--login-pages", "--refresh-cookie"}})
	var got map[string]any
	node(t, &got, server.Output, "sameorigin.mjs", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), upstream)
	alice := map[string]any{"status": 200.0, "user": "alice", "cookie": ""} // the cookies of the pages do not reach it
	want := map[string]any{
		"program": 401.0, "signUp": 201.0, "sentTo": "/account/login?next=%2Fdeep%3Fx%3D1#end", "back": "/deep?x=1",
		"byCookie": alice, "token": "string", "byToken": alice, "me": "alice", "scripts": "",
		"boot": 401.0, "login": []any{200.0, "in the cookie"}, "reload": 200.0, "same": "alice",
		"logout": true, "afterLogout": 401.0, "pagesAfterLogout": "alice",
		"stranger": "blocked", "out": "/account/login?next=%2F", "tokenOut": 401.0, "fetchOut": 401.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, server.Output())
	}
}
