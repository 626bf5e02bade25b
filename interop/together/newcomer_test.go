package together

// A database that jotgate made, and Django put beside it later.

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/interop/django"
	"github.com/jotgate/jotgate/interop/serve"
)

func TestDjangoIsContentWithDatabaseMadeByJotgate(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := database(t)
			if address == "" {
				address = "sqlite:" + filepath.Join(t.TempDir(), "jotgate.db")
			}
			site := django.Open(t, django.Options{Database: address, Unmigrated: true})
			superuser(t, site, "root", "root@example.com")

			migrated := site.Manage(t, "migrate", "--fake-initial", "--no-color")
			if strings.Contains(migrated, " auth.") || !strings.Contains(migrated, " admin.0001_initial... OK") {
				t.Errorf("Django should leave auth as jotgate made it, and add its other tables:\n%s", migrated)
			}
			if got := site.Manage(t, "check"); !strings.Contains(got, "no issues") {
				t.Errorf("check: %s", got)
			}
			if got := site.Manage(t, "migrate", "--check", "--plan"); !strings.Contains(got, "No planned migration") {
				t.Errorf("migrations are left: %s", got)
			}
			shown := site.ShowUser(t, "root")
			if !shown.Active || !shown.Staff || !shown.Superuser || shown.Email != "root@example.com" {
				t.Errorf("Django sees %+v", shown)
			}
			var page struct {
				Status int
				HTML   string
			}
			path := "/admin/auth/user/" + shown.ID + "/change/"
			site.Ask(t, "admin_page", map[string]any{"path": path, "username": "root"}, &page)
			if page.Status != 200 || !strings.Contains(page.HTML, `value="root@example.com"`) {
				t.Errorf("the admin's page of the user: %d\n%.500s", page.Status, page.HTML)
			}
			if !site.HasPassword(t, "root", password) || site.HasPassword(t, "root", password+"!") {
				t.Error("Django does not take the password given to jotgate, or takes another")
			}
		})
	}
}

func TestPasswordChangedOnTheCommandLine(t *testing.T) {
	t.Parallel()
	site := django.Open(t, django.Options{})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	command(t, site, newPassword+"\n"+newPassword+"\n", "changepassword", "alice")
	if !site.HasPassword(t, "alice", newPassword) || site.HasPassword(t, "alice", password) {
		t.Error("Django does not take the new password, or takes the old one")
	}
}

// superuser makes one on the command line, as an operator's script does.
func superuser(t *testing.T, site *django.Site, username, email string) {
	t.Helper()
	command(t, site, "", "migrate")
	command(t, site, "", "createsuperuser", "--noinput", "--username", username, "--email", email)
}

// command runs jotgate over the site's database, demands success and returns what it printed.
func command(t *testing.T, site *django.Site, input string, args ...string) string {
	t.Helper()
	cmd := serve.Command(t, t.TempDir(), []string{
		"JOTGATE_DATABASE=" + site.Database, "JOTGATE_SECRET_KEY=" + site.SecretKey, "JOTGATE_SUPERUSER_PASSWORD=" + password,
		"JOTGATE_USER_PASSWORD=" + password,
	}, args...)
	cmd.Stdin = strings.NewReader(input)
	var reason strings.Builder
	cmd.Stderr = &reason
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("jotgate %s: %v\n%s%s", strings.Join(args, " "), err, out, &reason)
	}
	return string(out)
}
