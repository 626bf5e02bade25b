package django

// The judge has to work before it can judge: the project serves what its users expect of SimpleJWT and djoser.

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/interop/client"
)

func TestSite(t *testing.T) {
	const password = "correct horse battery"
	cases := []struct {
		name     string
		options  func(t *testing.T) Options
		username string
		table    string
	}{
		{"sqlite", func(*testing.T) Options { return Options{} }, "alice", "auth_user"},
		{"postgresql", func(t *testing.T) Options { return Options{Database: pgtest.Database(t)} }, "alice", "auth_user"},
		{"email", func(*testing.T) Options { return Options{EmailUser: true} }, "alice@example.com", "accounts_user"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := Start(t, c.options(t))
			id := site.CreateUser(t, User{Username: c.username, Password: password})
			if tables := strings.Join(site.Tables(t), " "); !strings.Contains(tables, c.table+" ") {
				t.Errorf("no table %s in %s", c.table, tables)
			}
			field := "username"
			if c.name == "email" {
				field = "email"
			}
			login := client.Post(t, site.URL+"/api/token/", field, c.username, "password", password)
			if login.Status != http.StatusOK || login.Text("access") == "" {
				t.Fatalf("login: %+v", login)
			}
			if got := client.Get(t, site.URL+"/api/me/", "Bearer "+login.Text("access")); got.Text("id") != id {
				t.Errorf("/api/me/ = %+v, want id %q", got, id)
			}
			if got := client.Get(t, site.URL+"/api/me/", ""); got.Status != http.StatusUnauthorized {
				t.Errorf("/api/me/ without a token: %+v", got)
			}
			wrong := client.Post(t, site.URL+"/api/token/", field, c.username, "password", password+"!")
			if wrong.Status != http.StatusUnauthorized {
				t.Errorf("login with a wrong password: %+v", wrong)
			}
		})
	}
}

func TestLogoutAndRotation(t *testing.T) {
	t.Parallel()
	rotate := map[string]any{"ROTATE_REFRESH_TOKENS": true, "BLACKLIST_AFTER_ROTATION": true, "ACCESS_TOKEN_LIFETIME": 60}
	site := Start(t, Options{SimpleJWT: rotate})
	site.CreateUser(t, User{Username: "alice", Password: "correct horse battery", Groups: []string{"editors"}})
	login := client.Post(t, site.URL+"/api/token/", "username", "alice", "password", "correct horse battery")
	used := login.Text("refresh")
	rotated := refresh(t, site, used)
	if rotated.Status != http.StatusOK || rotated.Text("refresh") == "" {
		t.Fatalf("refresh: %+v", rotated)
	}
	if got := refresh(t, site, used); got.Status != http.StatusUnauthorized {
		t.Errorf("a used refresh token: %+v", got)
	}
	logout := client.Post(t, site.URL+"/api/token/blacklist/", "refresh", rotated.Text("refresh"))
	if logout.Status != http.StatusOK {
		t.Errorf("logout: %+v", logout)
	}
	if got := refresh(t, site, rotated.Text("refresh")); got.Status != http.StatusUnauthorized {
		t.Errorf("refresh after logout: %+v", got)
	}
}

func refresh(t *testing.T, site *Site, token string) client.Answer {
	t.Helper()
	return client.Post(t, site.URL+"/api/token/refresh/", "refresh", token)
}

var resetLink = regexp.MustCompile(`/reset/([^/\s]+)/([^/\s]+)`)

func TestResetMailAndPassword(t *testing.T) {
	t.Parallel()
	site := Start(t, Options{Hashers: []string{"django.contrib.auth.hashers.MD5PasswordHasher"}})
	site.CreateUser(t, User{Username: "alice", Password: "correct horse battery", Email: "alice@example.com"})
	sent := client.Post(t, site.URL+"/auth/users/reset_password/", "email", "alice@example.com")
	if sent.Status != http.StatusNoContent {
		t.Fatalf("reset_password: %+v", sent)
	}
	mails := site.Mails(t)
	if len(mails) != 1 {
		t.Fatalf("%d mails, want 1", len(mails))
	}
	found := resetLink.FindStringSubmatch(mails[0])
	if found == nil {
		t.Fatalf("no link in %s", mails[0])
	}
	link := ResetLink{UID: found[1], Token: found[2]}
	if !site.CheckResetToken(t, link) {
		t.Error("Django refuses the link that Django sent")
	}
	site.SetPassword(t, "alice", "another horse battery")
	if site.CheckResetToken(t, link) {
		t.Error("Django takes a link made before the password was changed")
	}
	if !site.HasPassword(t, "alice", "another horse battery") || site.HasPassword(t, "alice", "correct horse battery") {
		t.Error("the password did not change")
	}
	if got := site.ShowUser(t, "alice"); !strings.HasPrefix(got.Password, "md5$") || !got.Active {
		t.Errorf("alice = %+v, want an active user with an md5 hash", got)
	}
}
