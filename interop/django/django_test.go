package django

// The judge has to work before it can judge: the project serves what its users expect of SimpleJWT and djoser.

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
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
			status, pair := post(t, site.URL+"/api/token/", url.Values{field: {c.username}, "password": {password}})
			if status != http.StatusOK || pair["access"] == "" {
				t.Fatalf("login: %d %v", status, pair)
			}
			if got := me(t, site, pair["access"]); got != id {
				t.Errorf("the token belongs to %q, want %q", got, id)
			}
			status, pair = post(t, site.URL+"/api/token/", url.Values{field: {c.username}, "password": {"wrong"}})
			if status != http.StatusUnauthorized {
				t.Errorf("login with a wrong password: %d %v", status, pair)
			}
		})
	}
}

func TestLogoutAndRotation(t *testing.T) {
	t.Parallel()
	rotate := map[string]any{"ROTATE_REFRESH_TOKENS": true, "BLACKLIST_AFTER_ROTATION": true, "ACCESS_TOKEN_LIFETIME": 60}
	site := Start(t, Options{SimpleJWT: rotate})
	site.CreateUser(t, User{Username: "alice", Password: "correct horse battery", Groups: []string{"editors"}})
	_, pair := post(t, site.URL+"/api/token/", url.Values{"username": {"alice"}, "password": {"correct horse battery"}})
	status, next := post(t, site.URL+"/api/token/refresh/", url.Values{"refresh": {pair["refresh"]}})
	if status != http.StatusOK || next["refresh"] == "" {
		t.Fatalf("refresh: %d %v", status, next)
	}
	if status, body := post(t, site.URL+"/api/token/refresh/", url.Values{"refresh": {pair["refresh"]}}); status != 401 {
		t.Errorf("a used refresh token: %d %v", status, body)
	}
	if status, body := post(t, site.URL+"/api/token/blacklist/", url.Values{"refresh": {next["refresh"]}}); status != 200 {
		t.Errorf("logout: %d %v", status, body)
	}
	if status, body := post(t, site.URL+"/api/token/refresh/", url.Values{"refresh": {next["refresh"]}}); status != 401 {
		t.Errorf("refresh after logout: %d %v", status, body)
	}
}

var resetLink = regexp.MustCompile(`/reset/([^/\s]+)/([^/\s]+)`)

func TestResetMailAndPassword(t *testing.T) {
	t.Parallel()
	site := Start(t, Options{Hashers: []string{"django.contrib.auth.hashers.MD5PasswordHasher"}})
	site.CreateUser(t, User{Username: "alice", Password: "correct horse battery", Email: "alice@example.com"})
	if status, body := post(t, site.URL+"/auth/users/reset_password/", url.Values{"email": {"alice@example.com"}}); status != 204 {
		t.Fatalf("reset_password: %d %v", status, body)
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

// post sends a form and reads the answer's texts.
func post(t *testing.T, address string, form url.Values) (status int, body map[string]string) {
	t.Helper()
	response, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, texts(t, response)
}

func texts(t *testing.T, response *http.Response) map[string]string {
	t.Helper()
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	body := map[string]any{}
	if len(data) > 0 {
		if err := json.Unmarshal(data, &body); err != nil {
			t.Fatalf("%s in %q", err, data)
		}
	}
	found := map[string]string{}
	for name, value := range body {
		if text, ok := value.(string); ok {
			found[name] = text
		}
	}
	return found
}

// me opens the protected view and returns whose token it was.
func me(t *testing.T, site *Site, access string) (id string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, site.URL+"/api/me/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+access)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return texts(t, response)["id"]
}
