package together

// A Django project with a user model of its own: logs in by e-mail address, its key is a UUID.

import (
	"net/http"
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
