// Package frontend runs the token code of a front end that was written for SimpleJWT (axios and axios-auth-refresh
// from npm) against jotgate, unchanged: it logs in, is refreshed when the access token expires, and logs out. It has
// only tests.
package frontend

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

// secret is the SECRET_KEY of servers that get a token which has expired.
const secret = "a secret of the server and of the test 0123456789"

type outcome struct {
	Wrong       []any
	Me          map[string]any
	Refused     string
	AfterExpiry []string
	Refreshes   int
	NewAccess   bool
	Logout      int
	AfterLogout []any
}

func TestFrontEnd(t *testing.T) {
	server := serve.Start(t, serve.Options{SecretKey: secret, Env: []string{"JOTGATE_ACCESS_TOKEN_LIFETIME=24h"}})
	out, err := exec.Command("node", "client.mjs", server.URL, secret).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got outcome
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := outcome{
		Wrong:       []any{401.0, map[string]any{"detail": "No active account found with the given credentials"}},
		Me:          map[string]any{"email": "alice@example.com", "id": 1.0, "username": "alice"},
		Refused:     "Token is expired",
		AfterExpiry: []string{"alice", "alice", "alice"},
		Refreshes:   1,
		NewAccess:   true,
		Logout:      200,
		AfterLogout: []any{401.0, map[string]any{"detail": "Token is blacklisted", "code": "token_not_valid"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
