// Package allauth runs a real django-allauth 65 with second factors and accounts at providers for the tests: the project in
// project/, with the packages that tools/allauth unpacks.
package allauth

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/interop/peer"
)

// A Site is a Django process. Its methods may be called concurrently.
type Site struct{ inside *peer.Process }

// Start starts Django on a database, which it does not change, until tb ends. With adapter, allauth uses the MFA_ADAPTER
// of docs/django.md.
func Start(tb testing.TB, database, secretKey string, adapter bool) *Site {
	tb.Helper()
	return start(tb, map[string]any{"database": database, "secret_key": secretKey, "adapter": adapter, "issuer": ""})
}

// A Client is what an OpenID Connect provider knows allauth by.
type Client struct{ ID, Secret string }

// Callback is where a provider sends browsers back to, if its id is certified.
const Callback = "http://localhost/accounts/oidc/certified/login/callback/"

// StartWith starts Django as Start does, with the OpenID Connect provider certified.
func StartWith(tb testing.TB, database, secretKey, issuer string, client Client) *Site {
	tb.Helper()
	return start(tb, map[string]any{
		"database": database, "secret_key": secretKey, "adapter": false, "issuer": issuer, "client_id": client.ID, "client_secret": client.Secret,
	})
}

func start(tb testing.TB, settings map[string]any) *Site {
	tb.Helper()
	_, file, _, _ := runtime.Caller(0)
	folder := filepath.Dir(file)
	modules, err := exec.Command(filepath.Join(folder, "../../tools/allauth"), "--check").Output()
	if err != nil {
		tb.Fatal("django-allauth 65 is missing: run tools/setup")
	}
	judge, err := json.Marshal(settings)
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(peer.Python(), "inside.py")
	cmd.Dir = filepath.Join(folder, "project")
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH="+strings.TrimSpace(string(modules)), "JUDGE="+string(judge))
	return &Site{peer.Start(tb, cmd)}
}

// Ask calls a function of project/inside.py; value, if not nil, receives its result.
func (s *Site) Ask(tb testing.TB, action string, args map[string]any, value any) {
	tb.Helper()
	if failure := s.inside.Call(tb, action, args, value); failure != "" {
		tb.Fatalf("Django: %s: %s", action, failure)
	}
}

// Manage runs manage.py and returns its output.
func (s *Site) Manage(tb testing.TB, args ...string) (out string) {
	tb.Helper()
	s.Ask(tb, "manage", map[string]any{"args": args}, &out)
	return out
}

// Request sends a request of a browser, which keeps its cookies, to allauth's headless API; path is below
// /_allauth/browser/v1/. body is nil or encoded as JSON; status 0 is any status. It returns the response's members data and meta.
func (s *Site) Request(tb testing.TB, status int, browser, method, path string, body any) (data, meta map[string]any) {
	tb.Helper()
	var response struct {
		Status int
		Body   struct {
			Data any
			Meta map[string]any
		}
	}
	s.Ask(tb, "request", map[string]any{"browser": browser, "method": method, "path": "/_allauth/browser/v1/" + path, "body": body}, &response)
	if status != 0 && response.Status != status {
		tb.Errorf("allauth: %s %s: %d, want %d: %v", method, path, response.Status, status, response.Body)
	}
	data, _ = response.Body.Data.(map[string]any)
	return data, response.Body.Meta
}

// A Page is what a browser has got from allauth's pages.
type Page struct {
	Status   int
	Location string // of a redirect
	HTML     string
	User     string // the username of the session, or ""
}

// Browse sends a request of a browser to allauth's pages; a form is posted.
func (s *Site) Browse(tb testing.TB, browser, path string, form map[string]string) (p Page) {
	tb.Helper()
	s.Ask(tb, "browse", map[string]any{"browser": browser, "path": path, "form": form}, &p)
	return p
}

// shown returns what oathtool shows for the secret of an app now.
func shown(tb testing.TB, secret string) string {
	tb.Helper()
	out, err := exec.Command("oathtool", "--totp", "--base32", secret).Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// Presented calls present with the current code of a secret until it succeeds, and returns that code. If it fails after the
// code's time step has ended, that was why, and the next code is presented at the beginning of its step.
func Presented(tb testing.TB, secret string, present func(code string) bool) string {
	tb.Helper()
	for {
		code := shown(tb, secret)
		if present(code) {
			return code
		}
		if shown(tb, secret) == code {
			tb.Errorf("%s is not accepted", code)
			return code
		}
		const step = 30 * time.Second
		time.Sleep(time.Until(time.Now().Truncate(step).Add(step)))
	}
}
