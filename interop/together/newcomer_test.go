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
			if strings.Contains(migrated, "auth.0001_initial... OK") {
				t.Errorf("Django made the auth tables again:\n%s", migrated)
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
			if !site.HasPassword(t, "root", password) || site.HasPassword(t, "root", password+"!") {
				t.Error("Django does not take the password given to jotgate, or takes another")
			}
		})
	}
}

// superuser makes one on the command line of jotgate, as an operator's script does.
func superuser(t *testing.T, site *django.Site, username, email string) {
	t.Helper()
	env := []string{"JOTGATE_DATABASE=" + site.Database, "JOTGATE_SECRET_KEY=" + site.SecretKey,
		"JOTGATE_SUPERUSER_PASSWORD=" + password}
	for _, args := range [][]string{{"migrate"}, {"createsuperuser", "--noinput", "--username", username, "--email", email}} {
		if out, err := serve.Command(t, t.TempDir(), env, args...).CombinedOutput(); err != nil {
			t.Fatalf("jotgate %s: %v\n%s", args[0], err, out)
		}
	}
}
