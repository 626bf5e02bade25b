package together

// The history of Django's admin, which both sides write and read.

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/django"
)

// logged is a row of django_admin_log.
type logged struct {
	Flag                               int
	Object, Repr, Message, Text, Model string
	User                               string
}

// Changes by jotgate are on the History page of a real Django admin, with the message that Django itself writes; Django's
// own changes are in the history that jotgate shows, once.
func TestHistoryOfDjangosAdmin(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := django.Open(t, django.Options{Database: database(t)})
			superuser(t, site, "root", "root@example.com")
			id := site.CreateUser(t, django.User{Username: "alice", Password: password, Email: "alice@example.com"})
			do := func(args ...string) {
				command(t, site, "", append([]string{"admin", "do"}, append(args, "--as", "root")...)...)
			}
			path := "/admin/auth/user/" + id + "/"
			change := func(changes map[string]any) {
				t.Helper()
				var status int
				site.Ask(t, "admin_change", map[string]any{"path": path + "change/", "username": "root", "changes": changes}, &status)
				if status != 302 {
					t.Fatalf("Django answers %d", status)
				}
			}

			// The same change, by either side.
			change(map[string]any{"email": "a@example.com", "first_name": "Ada", "is_staff": "on"})
			do("user.change", id, "email=b@example.com", "first_name=Augusta", "is_staff=false")
			do("user.add", "username=carol", "send_reset=false")
			do("group.add", "name=editors")
			do("user.deactivate", "@carol")
			do("user.change", id) // changes nothing
			change(map[string]any{"last_name": "King"})
			do("user.delete", "@carol")

			var log []logged
			site.Ask(t, "admin_log", nil, &log)
			for i := range log { // Django 3.2 finds the microseconds changed that its own form leaves out
				log[i].Message = strings.Replace(log[i].Message, `, "Date joined"`, "", 1)
			}
			if len(log) != 8 {
				t.Fatalf("%d rows: %+v", len(log), log)
			}
			if log[0].Message != log[1].Message || log[1].Text != "Changed First name, Email address and Staff status." || log[0].Repr != log[1].Repr || log[0].Model != log[1].Model {
				t.Errorf("Django writes %+v, jotgate %+v", log[0], log[1])
			}
			for i, want := range []logged{
				2: {1, "3", "carol", `[{"added": {}}]`, "Added.", "user", "root"},
				3: {1, "1", "editors", `[{"added": {}}]`, "Added.", "group", "root"},
				4: {2, "3", "carol", `[{"changed": {"fields": ["Active"]}}]`, "Changed Active.", "user", "root"},
				5: {2, id, "alice", "[]", "No fields changed.", "user", "root"},
				7: {3, "3", "carol", "", "", "user", "root"},
			} {
				if want.Flag != 0 && log[i] != want {
					t.Errorf("row %d is %+v, want %+v", i, log[i], want)
				}
			}
			var page struct {
				Status int
				HTML   string
			}
			site.Ask(t, "admin_page", map[string]any{"path": path + "history/", "username": "root"}, &page)
			if page.Status != 200 || strings.Count(page.HTML, "Changed First name, Email address and Staff status.") < 1 {
				t.Errorf("Django's History page: %d\n%s", page.Status, page.HTML)
			}

			var shown struct {
				Events []struct {
					Event  string `json:"event"`
					Detail string `json:"detail"`
					Actor  any    `json:"actor_id"`
				} `json:"events"`
			}
			if err := json.Unmarshal([]byte(command(t, site, "", "admin", "show", "users", id)), &shown); err != nil {
				t.Fatal(err)
			}
			var history []string
			for _, e := range shown.Events {
				if e.Event == "django" || e.Event == "admin" {
					e.Detail = strings.Replace(strings.Replace(e.Detail, " and Date joined", "", 1), "address, Staff", "address and Staff", 1)
					history = append(history, fmt.Sprint(e.Event, " ", e.Detail, " ", e.Actor))
				}
			}
			root := site.ShowUser(t, "root").ID
			want := "django Changed Last name. " + root + "; admin user.change " + root + "; admin user.change " + root + "; django Changed First name, Email address and Staff status. " + root
			if got := strings.Join(history, "; "); got != want {
				t.Errorf("jotgate shows %s, want %s", got, want)
			}
		})
	}
}
