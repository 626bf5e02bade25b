package together

// A Django project with a user model of its own: logs in by e-mail address, its key is a UUID.

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/interop/serve"
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
			jotgate := serve.Start(t, serve.Options{
				Database: site.Database, SecretKey: site.SecretKey,
				Args: userModel,
			})
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

// djoser calls its paths and fields after the field that users log in with.
func TestAccountsOfTheProject(t *testing.T) {
	site := django.Start(t, django.Options{EmailUser: true})
	jotgate := serve.Start(t, serve.Options{Database: site.Database, SecretKey: site.SecretKey, Args: userModel})
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
