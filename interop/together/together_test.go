// Package together runs a real Django and jotgate beside each other on one database with one SECRET_KEY, and lets
// users go from one to the other.
package together

import (
	"net/http"
	"os"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestMain(m *testing.M) { os.Exit(serve.Main(m)) }

const (
	password    = "correct horse battery"
	newPassword = "another horse battery"
)

// djangoHasher is --hasher as docs/django.md asks for it beside Debian's Django: a hash that Django rewrites at a login
// looks like a changed password and ends jotgate's sessions.
const djangoHasher = "pbkdf2_sha256:260000"

// databases are where both sides meet. An empty address is a new SQLite file.
var databases = map[string]func(t *testing.T) string{
	"sqlite":     func(*testing.T) string { return "" },
	"postgresql": func(t *testing.T) string { return pgtest.Database(t) },
}

// together starts both sides on a new database that Django has migrated.
func together(t *testing.T, address string, options django.Options) (*django.Site, *serve.Server) {
	t.Helper()
	options.Database = address
	site := django.Start(t, options)
	return site, beside(t, site, "--hasher", djangoHasher)
}

// beside starts jotgate with flags on the database and the secret of a site.
func beside(t *testing.T, site *django.Site, flags ...string) *serve.Server {
	t.Helper()
	return serve.Start(t, serve.Options{Database: site.Database, SecretKey: site.SecretKey, Args: flags})
}

func TestUsersOfDjangoGoBothWays(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, jotgate := together(t, database(t), django.Options{})
			id := site.CreateUser(t, django.User{Username: "alice", Password: password, Email: "alice@example.com"})

			theirs := login(t, site.URL)
			ours := login(t, jotgate.URL)
			for side, access := range map[string]string{"Django": theirs.Text("access"), "jotgate": ours.Text("access")} {
				t.Run("token of "+side, func(t *testing.T) {
					opens(t, site.URL+"/api/me/", access, "id", id)
					opens(t, jotgate.URL+"/auth/users/me/", access, "username", "alice")
				})
			}
			t.Run("wrong password", func(t *testing.T) {
				for _, url := range []string{site.URL, jotgate.URL} {
					got := client.Post(t, url+"/api/token/", "username", "alice", "password", password+"!")
					refused(t, got, "no_active_account", "No active account found with the given credentials")
				}
			})
		})
	}
}

// TestSecretDecides shows that the shared secret, and nothing else, opens the other side.
func TestSecretDecides(t *testing.T) {
	t.Parallel()
	site := django.Start(t, django.Options{})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	theirs := login(t, site.URL).Text("access")

	stranger := serve.Start(t, serve.Options{Database: site.Database, SecretKey: site.SecretKey + "x"})
	refused(t, client.Get(t, stranger.URL+"/auth/users/me/", "Bearer "+theirs), "token_not_valid", "")
	ours := login(t, stranger.URL).Text("access")
	opens(t, stranger.URL+"/auth/users/me/", ours, "username", "alice")
	refused(t, client.Get(t, site.URL+"/api/me/", "Bearer "+ours), "token_not_valid", "")
}

func TestRefreshTokensGoBothWays(t *testing.T) {
	t.Parallel()
	site, jotgate := together(t, "", django.Options{})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	for name, pair := range map[string][2]string{
		"from Django to jotgate": {site.URL, jotgate.URL},
		"from jotgate to Django": {jotgate.URL, site.URL},
	} {
		t.Run(name, func(t *testing.T) {
			tokens := login(t, pair[0])
			refreshed := client.Post(t, pair[1]+"/api/token/refresh/", "refresh", tokens.Text("refresh"))
			if refreshed.Status != http.StatusOK {
				t.Fatalf("refresh: %+v", refreshed)
			}
			opens(t, site.URL+"/api/me/", refreshed.Text("access"), "username", "alice")
			opens(t, jotgate.URL+"/auth/users/me/", refreshed.Text("access"), "username", "alice")
			wrong := client.Post(t, pair[1]+"/api/token/refresh/", "refresh", tokens.Text("access"))
			refused(t, wrong, "token_not_valid", "Token has wrong type")
		})
	}
}

func TestDeactivatedAndDeletedUsersAreRefusedByBoth(t *testing.T) {
	t.Parallel()
	site, jotgate := together(t, "", django.Options{})
	for _, username := range []string{"alice", "bob"} {
		site.CreateUser(t, django.User{Username: username, Password: password})
	}
	alice, bob := login(t, jotgate.URL).Text("access"), loginAs(t, jotgate.URL, "bob").Text("access")
	opens(t, jotgate.URL+"/auth/users/me/", alice, "username", "alice")
	site.Ask(t, "change_user", map[string]any{"username": "alice", "is_active": false}, nil)
	site.Ask(t, "delete_user", map[string]any{"username": "bob"}, nil)
	for _, me := range []string{site.URL + "/api/me/", jotgate.URL + "/auth/users/me/"} {
		refused(t, client.Get(t, me, "Bearer "+alice), "user_inactive", "User is inactive")
		refused(t, client.Get(t, me, "Bearer "+bob), "user_not_found", "User not found")
	}
	for _, url := range []string{site.URL, jotgate.URL} {
		got := client.Post(t, url+"/api/token/", "username", "alice", "password", password)
		refused(t, got, "no_active_account", "No active account found with the given credentials")
	}
}

func login(t *testing.T, url string) client.Answer { t.Helper(); return loginAs(t, url, "alice") }

// loginAs logs in and demands both tokens.
func loginAs(t *testing.T, url, username string) client.Answer {
	t.Helper()
	answer := client.Post(t, url+"/api/token/", "username", username, "password", password)
	if answer.Status != http.StatusOK || answer.Text("access") == "" || answer.Text("refresh") == "" {
		t.Fatalf("login at %s: %+v", url, answer)
	}
	return answer
}

// opens demands that a token opens a protected view, and one member of what it shows.
func opens(t *testing.T, url, access, member, want string) {
	t.Helper()
	answer := client.Get(t, url, "Bearer "+access)
	if answer.Status != http.StatusOK || answer.Text(member) != want {
		t.Errorf("%s: %+v, want 200 and %s %q", url, answer, member, want)
	}
}

// refused demands a 401 with SimpleJWT's code and, unless it is empty, text. Django 3.2's SimpleJWT puts no code on a
// failed login.
func refused(t *testing.T, answer client.Answer, code, detail string) {
	t.Helper()
	if answer.Status != http.StatusUnauthorized || answer.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("%+v, want 401 with WWW-Authenticate", answer)
	}
	if got, has := answer.Body["code"]; has && got != code {
		t.Errorf("code = %v, want %q", got, code)
	}
	if detail != "" && answer.Text("detail") != detail {
		t.Errorf("detail = %q, want %q", answer.Text("detail"), detail)
	}
}
