package together

// What one side knows of users, groups and permissions, the other knows too.

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/jotgate/jotgate/interop/django"
)

func TestBothSidesSeeTheSameUsers(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := django.Open(t, django.Options{Database: database(t)})
			grants := map[string]any{"group": "editors", "permissions": []string{"auth.change_user", "sessions.view_session"}}
			site.Ask(t, "grant", grants, nil)
			users := []django.User{
				{Username: "plain", Email: "plain@example.com"},
				{Username: "editor", Groups: []string{"editors", "nothing"}},
				{Username: "root", Superuser: true},
				{Username: "inactive", Groups: []string{"editors"}},
				{Username: "jürgen-日本"},
			}
			for _, user := range users {
				user.Password = password
				site.CreateUser(t, user)
			}
			site.Ask(t, "change_user", map[string]any{"username": "inactive", "is_active": false}, nil)
			for _, user := range users {
				sameUser(t, site, user.Username)
			}
		})
	}
}

func TestUserMadeOnTheCommandLineLivesInDjango(t *testing.T) {
	t.Parallel()
	site := django.Open(t, django.Options{})
	command(t, site, "", "user", "create", "alice", "--email", "alice@example.com", "--staff")
	sameUser(t, site, "alice")
	if shown := site.ShowUser(t, "alice"); !shown.Staff || shown.Superuser || !shown.Active {
		t.Errorf("Django sees %+v, want active staff", shown)
	}
	if !site.HasPassword(t, "alice", password) {
		t.Error("Django refuses the password given to jotgate")
	}
	command(t, site, "", "user", "deactivate", "alice")
	if site.ShowUser(t, "alice").Active {
		t.Error("alice is active in Django after user deactivate")
	}
	command(t, site, "", "user", "activate", "alice")
	command(t, site, "", "user", "set", "alice", "--no-staff", "--email", "new@example.com")
	sameUser(t, site, "alice")
	if shown := site.ShowUser(t, "alice"); !shown.Active || shown.Staff || shown.Email != "new@example.com" {
		t.Errorf("Django sees %+v, want active, no staff, new@example.com", shown)
	}
	command(t, site, "", "user", "delete", "alice", "--yes")
	if failure := site.Try(t, "show_user", map[string]any{"username": "alice"}, nil); failure == "" {
		t.Error("Django still has alice after user delete")
	}
}

// sameUser compares what both sides show of a user.
func sameUser(t *testing.T, site *django.Site, username string, flags ...string) {
	t.Helper()
	var ours struct {
		django.Shown
		ID       any // a number, or a UUID's text
		Password any // jotgate shows its kind, never the hash
		Groups   []struct{ Name string }
	}
	out := command(t, site, "", append([]string{"user", "show", username, "--json"}, flags...)...)
	if err := json.Unmarshal([]byte(out), &ours); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	theirs := site.ShowUser(t, username)
	ours.Shown.ID, ours.Shown.Password = fmt.Sprint(ours.ID), theirs.Password
	for _, group := range ours.Groups {
		ours.Shown.Groups = append(ours.Shown.Groups, group.Name)
	}
	if diff := cmp.Diff(theirs, ours.Shown, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s is not the same (-Django +jotgate):\n%s", username, diff)
	}
}
