package together

// A Django project with a user model of its own: logs in by e-mail address, its key is a UUID.

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
)

// userModel are the flags that tell jotgate where such users are.
var userModel = []string{"--user-table", "accounts_user", "--username-column", "email"}

func TestBothSidesSeeTheSameUsersOfTheProject(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := django.Open(t, django.Options{Database: database(t), EmailUser: true})
			site.Ask(t, "grant", map[string]any{"group": "editors", "permissions": []string{"accounts.change_user"}}, nil)
			site.CreateUser(t, django.User{Username: "alice@example.com", Password: password, Groups: []string{"editors"}})
			sameUser(t, site, "alice@example.com", userModel...)

			command(t, site, "", append([]string{"user", "create", "bob@example.com", "--staff"}, userModel...)...)
			sameUser(t, site, "bob@example.com", userModel...)
			if !site.HasPassword(t, "bob@example.com", password) {
				t.Error("Django refuses the password given to jotgate")
			}
		})
	}
}

func TestUserModelOfTheProject(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const username = "alice@example.com"
			site := django.Start(t, django.Options{Database: database(t), EmailUser: true})
			jotgate := beside(t, site, append([]string{"--hasher", djangoHasher}, userModel...)...)
			id := site.CreateUser(t, django.User{Username: username, Password: password, Groups: []string{"editors"}})

			theirs := client.Post(t, site.URL+"/api/token/", "email", username, "password", password)
			ours := client.Post(t, jotgate.URL+"/api/token/", "username", username, "password", password)
			same := client.Post(t, jotgate.URL+"/api/token/", "email", username, "password", password)
			for side, answer := range map[string]client.Answer{"Django": theirs, "jotgate": ours, "jotgate, as at Django": same} {
				if answer.Status != http.StatusOK {
					t.Fatalf("login at %s: %+v", side, answer)
				}
				opens(t, site.URL+"/api/me/", answer.Text("access"), "id", id)
				opens(t, jotgate.URL+"/auth/users/me/", answer.Text("access"), "email", username)
			}
			wrong := client.Post(t, jotgate.URL+"/api/token/", "username", username, "password", password+"!")
			refused(t, wrong, "no_active_account", "No active account found with the given credentials")
		})
	}
}

// djoser calls its paths and fields after the field that users log in with. Its change of the address is immediate.
func TestAccountsOfTheProject(t *testing.T) {
	site := django.Start(t, django.Options{EmailUser: true})
	jotgate := beside(t, site, append([]string{"--immediate-email-change", "--hasher", djangoHasher}, userModel...)...)
	site.CreateUser(t, django.User{Username: "taken@example.com", Password: password})
	type asked struct {
		status int
		body   string
	}
	ask := func(base, me string) (list []asked) {
		address := me + "@example.com"
		note := func(a client.Answer) client.Answer {
			delete(a.Body, "id")
			text, _ := json.Marshal(a.Body)
			list = append(list, asked{a.Status, strings.ReplaceAll(string(text), me, "ME")})
			return a
		}
		users := base + "/auth/users/"
		note(client.Post(t, users, "email", address, "password", password))
		note(client.Post(t, users, "password", password))
		note(client.Post(t, users, "email", me, "password", password))
		note(client.Post(t, users, "email", me+"2@example.com", "password", "1234567"))
		bearer := "Bearer " + client.Post(t, base+"/auth/jwt/create/", "email", address, "password", password).Text("access")
		note(client.Get(t, users+"me/", bearer))
		note(client.PostAs(t, bearer, users+"set_email/", "current_password", password, "new_email", me))
		note(client.PostAs(t, bearer, users+"set_email/", "current_password", password))
		note(client.PostAs(t, bearer, users+"set_email/", "current_password", password, "new_email", "new-"+address))
		note(client.Get(t, users+"me/", bearer))
		note(client.Post(t, users+"reset_email/", "email", me))
		note(client.Post(t, users+"reset_email_confirm/", "uid", "MQ", "token", "x"))
		return list
	}
	theirs, ours := ask(site.URL, "ada"), ask(jotgate.URL, "bea")
	for i := range theirs {
		if theirs[i] != ours[i] {
			t.Errorf("question %d: Django %v, jotgate %v", i, theirs[i], ours[i])
		}
	}
	opens(t, site.URL+"/auth/users/me/", client.Post(t, site.URL+"/auth/jwt/create/", "email", "new-bea@example.com", "password", password).Text("access"), "email", "new-bea@example.com")
}

var confirmLink = regexp.MustCompile(`/account/email/confirm\?uid=([^&\s]+)&token=(\S+)`)

// TestConfirmedAddressIsTheLoginOfBoth: without --immediate-email-change an account goes on with its address until the
// link that was sent to the new one is followed. Both sides then know it by the new one alone.
func TestConfirmedAddressIsTheLoginOfBoth(t *testing.T) {
	t.Parallel()
	site := django.Start(t, django.Options{EmailUser: true})
	jotgate := beside(t, site, append([]string{"--print-emails", "--hasher", djangoHasher}, userModel...)...)
	site.CreateUser(t, django.User{Username: "old@example.com", Password: password})
	status := func(url, address string) int {
		return client.Post(t, url+"/auth/jwt/create/", "email", address, "password", password).Status
	}
	check := func(when string, oldWant, newWant int) {
		t.Helper()
		for _, url := range []string{site.URL, jotgate.URL} {
			if got := status(url, "old@example.com"); got != oldWant {
				t.Errorf("%s, %s: login by the old address: %d, want %d", when, url, got, oldWant)
			}
			if got := status(url, "new@example.com"); got != newWant {
				t.Errorf("%s, %s: login by the new address: %d, want %d", when, url, got, newWant)
			}
		}
	}

	bearer := "Bearer " + client.Post(t, jotgate.URL+"/auth/jwt/create/", "email", "old@example.com", "password", password).Text("access")
	asked := client.PostAs(t, bearer, jotgate.URL+"/auth/users/set_email/", "current_password", password, "new_email", "new@example.com")
	if asked.Status != http.StatusNoContent {
		t.Fatalf("set_email: %+v", asked)
	}
	link := jotgate.WaitFor(t, confirmLink)
	check("before the link", http.StatusOK, http.StatusUnauthorized)

	confirm := func(token string) int {
		return client.Post(t, jotgate.URL+"/auth/users/email_change_confirm/", "uid", link[1], "token", token).Status
	}
	if got := confirm(lastChanged(link[2])); got != http.StatusBadRequest {
		t.Errorf("a changed token: %d, want 400", got)
	}
	if got := confirm(link[2]); got != http.StatusNoContent {
		t.Fatalf("the link: %d, want 204", got)
	}
	check("after the link", http.StatusUnauthorized, http.StatusOK)
	if got := confirm(link[2]); got != http.StatusBadRequest {
		t.Errorf("the link a second time: %d, want 400", got)
	}
}
