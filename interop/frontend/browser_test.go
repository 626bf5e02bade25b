package frontend

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/serve"
)

// run is what a client of page.mjs returns.
type run struct {
	Rounds        []any // what each call of the API gave: usernames, or the code of an error
	Refreshes     int
	Kept          bool
	Cookie        string
	RefreshInBody bool
}

// In Chromium, on another origin, each client logs in, is refreshed again and again, and
// goes on after a reload, with the flags that docs/http-api.md names.
func TestClientsInABrowser(t *testing.T) {
	alice := []any{"alice", "alice", "alice"}
	for _, row := range []struct {
		name, client string
		args         []string
		want         []run
	}{
		{"axios-jwt that keeps its refresh token", "axios-jwt", []string{"--keep-refresh-tokens"}, []run{
			{Rounds: []any{alice, alice, alice, alice}, Refreshes: 3, Kept: true},
			{Rounds: []any{alice, alice, alice, alice}, Refreshes: 3, Kept: true},
		}},
		{"axios-jwt that takes both tokens", "axios-jwt, both tokens", nil, []run{
			{Rounds: []any{alice, alice, alice, alice}, Refreshes: 3, Kept: true},
			{Rounds: []any{alice, alice, alice, alice}, Refreshes: 3, Kept: true},
		}},
		{"fetch", "examples/browser", []string{"--refresh-cookie"}, []run{
			{Rounds: []any{false, "No active account found with the given credentials", "alice", alice, alice}, Refreshes: 3},
			{Rounds: []any{true, alice, alice, "token_not_valid", 401.0}, Refreshes: 5},
		}},
		{"axios-auth-refresh", "axios-auth-refresh", []string{"--refresh-cookie"}, []run{
			{Rounds: []any{"alice", "alice", "alice", "alice"}, Refreshes: 3},
			{Rounds: []any{"alice", "alice", "alice", "alice"}, Refreshes: 3},
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			origin := "http://" + freeport.Address(t)
			// Without the grace, a token before a rotation is refused immediately and not
			// only after ten seconds.
			args := append([]string{"--cors-origins", origin, "--refresh-grace", "0s", "--access-token-lifetime", "24h"}, row.args...)
			server := serve.Start(t, serve.Options{Args: args})
			client.Post(t, server.URL+"/auth/users/", "username", "alice", "email", "alice@example.com", "password", "correct horse battery")
			var got []run
			node(t, &got, server.Output, "browser.mjs", server.URL, origin, row.client)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, server.Output())
			}
		})
	}
}
