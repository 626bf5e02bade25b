package together

// A password that changes on one side has changed on the other; reset links cross over; hashes settle.

import (
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
)

func TestPasswordChangedOnOneSideWorksOnTheOther(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site, jotgate := together(t, database(t), django.Options{})
			sides := map[string][2]string{"django": {site.URL, jotgate.URL}, "jotgate": {jotgate.URL, site.URL}}
			for name, urls := range sides {
				t.Run("changed at "+name, func(t *testing.T) {
					site.CreateUser(t, django.User{Username: name, Password: password})
					access := loginAs(t, urls[0], name).Text("access")
					changed := client.PostAs(t, "Bearer "+access, urls[0]+"/auth/users/set_password/",
						"current_password", password, "new_password", newPassword)
					if changed.Status != http.StatusNoContent {
						t.Fatalf("set_password: %+v", changed)
					}
					onlyNewPassword(t, urls[1], name)
					onlyNewPassword(t, urls[0], name)
				})
			}
		})
	}
}

func TestResetLinkOpensOnTheOtherSide(t *testing.T) {
	t.Parallel()
	site, jotgate := together(t, "", django.Options{TimeZone: "UTC"})
	for name, url := range map[string]string{"django": site.URL, "jotgate": jotgate.URL} {
		t.Run("used at "+name, func(t *testing.T) {
			site.CreateUser(t, django.User{Username: name, Password: password, Email: "someone@example.com"})
			link := site.MakeResetToken(t, name)
			confirm := func(token string) client.Answer {
				return client.Post(t, url+"/auth/users/reset_password_confirm/",
					"uid", link.UID, "token", token, "new_password", newPassword)
			}
			if got := confirm(lastChanged(link.Token)); got.Status != http.StatusBadRequest || got.Body["token"] == nil {
				t.Errorf("a changed token: %+v, want 400 about the token", got)
			}
			if got := confirm(link.Token); got.Status != http.StatusNoContent {
				t.Fatalf("the link: %+v, want 204", got)
			}
			onlyNewPassword(t, jotgate.URL, name)
			onlyNewPassword(t, site.URL, name)
			if got := confirm(link.Token); got.Status != http.StatusBadRequest {
				t.Errorf("the link a second time: %+v, want 400", got)
			}
			if site.CheckResetToken(t, link) {
				t.Error("Django takes the link a second time")
			}
		})
	}
}

// lastChanged differs from token in its last character.
func lastChanged(token string) string {
	last := "0"
	if strings.HasSuffix(token, last) {
		last = "1"
	}
	return token[:len(token)-1] + last
}

func onlyNewPassword(t *testing.T, url, username string) {
	t.Helper()
	if got := client.Post(t, url+"/api/token/", "username", username, "password", newPassword); got.Status != http.StatusOK {
		t.Errorf("%s refuses the new password: %+v", url, got)
	}
	if got := client.Post(t, url+"/api/token/", "username", username, "password", password); got.Status != http.StatusUnauthorized {
		t.Errorf("%s takes the old password: %+v", url, got)
	}
}

// TestHashesStayAsTheyAre: beside Django, jotgate is told Django's hasher or to keep what is sound; otherwise each login
// would bring the hash to the taste of the side that is asked.
func TestHashesStayAsTheyAre(t *testing.T) {
	for _, hasher := range []string{djangoHasher, "argon2,keep"} {
		t.Run(hasher, func(t *testing.T) {
			t.Parallel()
			site := django.Start(t, django.Options{})
			jotgate := beside(t, site, "--hasher", hasher)
			site.CreateUser(t, django.User{Username: "alice", Password: password})
			before := site.ShowUser(t, "alice").Password
			refresh := login(t, jotgate.URL).Text("refresh")
			for _, url := range []string{jotgate.URL, site.URL, jotgate.URL} {
				login(t, url)
				if got := site.ShowUser(t, "alice").Password; got != before {
					t.Fatalf("login at %s rewrote %.24s… to %.24s…", url, before, got)
				}
			}
			if got := client.Post(t, jotgate.URL+"/api/token/refresh/", "refresh", refresh); got.Status != http.StatusOK {
				t.Errorf("the session is refused after the logins: %+v", got)
			}
		})
	}
}

// TestRewrittenHashEndsSessions: with another hasher than Django's, a login at Django rewrites jotgate's hash. jotgate
// cannot tell that from a new password, and refuses the sessions that go with the hash of before.
func TestRewrittenHashEndsSessions(t *testing.T) {
	t.Parallel()
	site := django.Start(t, django.Options{})
	jotgate := beside(t, site, "--hasher", "argon2")
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	refresh := login(t, jotgate.URL).Text("refresh")
	before := site.ShowUser(t, "alice").Password
	if !strings.HasPrefix(before, "argon2$argon2id$") {
		t.Fatalf("after a login at jotgate the hash is %.24s…, want argon2id", before)
	}
	login(t, site.URL)
	if after := site.ShowUser(t, "alice").Password; !strings.HasPrefix(after, "pbkdf2_sha256$260000$") {
		t.Fatalf("after a login at Django the hash is %.24s…, want Django's", after)
	}
	refused(t, client.Post(t, jotgate.URL+"/api/token/refresh/", "refresh", refresh), "token_not_valid", "Token is blacklisted")
	login(t, jotgate.URL)
}

// TestOutdatedHashIsUpgradedAtLogin: by either side, to what the other takes.
func TestOutdatedHashIsUpgradedAtLogin(t *testing.T) {
	t.Parallel()
	site, jotgate := together(t, "", django.Options{})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	var old string
	site.Ask(t, "make_password", map[string]any{"password": password, "hasher": "pbkdf2_sha1"}, &old)
	site.Ask(t, "change_user", map[string]any{"username": "alice", "password": old}, nil)
	login(t, jotgate.URL)
	if got := site.ShowUser(t, "alice").Password; !strings.HasPrefix(got, "pbkdf2_sha256$260000$") {
		t.Errorf("after a login at jotgate the hash is %.24s…, want Django's", got)
	}
	login(t, site.URL)
}
