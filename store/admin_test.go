package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

func TestGroups(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		a := w.account(s, "ada")
		editors, err := s.Groups().Create(w.ctx, "Editors")
		w.must(err)
		_, err = s.Groups().Create(w.ctx, "Authors")
		w.must(err)
		for _, name := range []string{"Editors", strings.Repeat("é", 151), "nul\x00"} {
			if _, err := s.Groups().Create(w.ctx, name); jotgate.AsError(err).Status != 400 {
				t.Errorf("Create(%.10q): %v", name, err)
			}
		}
		if _, err := s.Groups().Create(w.ctx, strings.Repeat("é", 150)); err != nil {
			t.Errorf("a name of 150 characters: %v", err)
		}
		if err := s.Groups().Rename(w.ctx, "Authors", "Editors"); jotgate.AsError(err).Status != 400 {
			t.Errorf("renamed to a name that exists: %v", err)
		}
		w.must(s.Groups().Rename(w.ctx, "Authors", "Writers"))
		w.must(s.Groups().AddMember(w.ctx, a.ID, "Writers"))
		w.must(s.Groups().AddMember(w.ctx, a.ID, "Editors"))
		w.must(s.Groups().AddMember(w.ctx, a.ID, "Editors"))
		for _, err := range []error{
			s.Groups().AddMember(w.ctx, "999", "Editors"), s.Groups().AddMember(w.ctx, a.ID, "Nobody"), s.Groups().AddMember(w.ctx, a.ID, "Editors\x00"),
			s.Groups().RemoveMember(w.ctx, "x", "Editors"), s.Groups().Delete(w.ctx, "Authors"), s.Groups().Rename(w.ctx, "Authors", "B"),
		} {
			if !errors.Is(err, jotgate.ErrNotFound) {
				t.Errorf("want ErrNotFound, got %v", err)
			}
		}

		got, err := s.Accounts().ByID(w.ctx, a.ID)
		w.must(err)
		if got.Group == nil || *got.Group != editors { // the lowest id, not the first added
			t.Errorf("the account's group is %+v", got.Group)
		}
		members, err := s.Groups().Members(w.ctx, "Editors", "", 10)
		w.must(err)
		if len(members) != 1 || members[0].ID != a.ID {
			t.Errorf("members: %v", members)
		}
		if members, err = s.Groups().Members(w.ctx, "Editors", a.ID, 10); err != nil || len(members) != 0 {
			t.Errorf("members after the last: %v, %v", members, err)
		}
		w.must(s.Groups().Delete(w.ctx, "Editors"))
		w.must(s.Groups().RemoveMember(w.ctx, a.ID, "Writers"))
		groups, _, err := s.Accounts().Grants(w.ctx, a.ID)
		w.must(err)
		if len(groups) != 0 {
			t.Errorf("groups left: %v", groups)
		}
	})
}

func TestPermissions(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		a := w.account(s, "ada")
		_, err := s.Groups().Create(w.ctx, "Editors")
		w.must(err)
		w.must(s.Groups().AddMember(w.ctx, a.ID, "Editors"))
		w.must(s.Permissions().GrantToGroup(w.ctx, "Editors", "auth.view_user"))
		w.must(s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.add_user"))
		w.must(s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.view_user"))
		w.must(s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.view_user"))
		grants := func(want ...string) {
			t.Helper()
			_, got, err := s.Accounts().Grants(w.ctx, a.ID)
			w.must(err)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("permissions (-want +got):\n%s", d)
			}
		}
		grants("auth.add_user", "auth.view_user")
		w.must(s.Permissions().RevokeFromAccount(w.ctx, a.ID, "auth.view_user"))
		grants("auth.add_user", "auth.view_user") // still the group's
		w.must(s.Permissions().RevokeFromGroup(w.ctx, "Editors", "auth.view_user"))
		grants("auth.add_user")
		own, err := s.Permissions().OfAccount(w.ctx, a.ID)
		w.must(err)
		if d := cmp.Diff([]store.Permission{{Name: "auth.add_user", Title: "Can add user"}}, own); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		for _, err := range []error{
			s.Permissions().GrantToAccount(w.ctx, "999", "auth.add_user"), s.Permissions().GrantToAccount(w.ctx, a.ID, "auth.no"), s.Permissions().GrantToAccount(w.ctx, a.ID, "auth"),
			s.Permissions().GrantToGroup(w.ctx, "Nobody", "auth.add_user"), s.Permissions().GrantToGroup(w.ctx, "Editors", "blog.add_user"),
		} {
			if !errors.Is(err, jotgate.ErrNotFound) {
				t.Errorf("want ErrNotFound, got %v", err)
			}
		}

		all, err := s.Permissions().List(w.ctx)
		w.must(err)
		w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsSuperuser: new(true)}))
		var names []string
		for _, p := range all {
			names = append(names, p.Name)
		}
		slices.Sort(names)
		grants(names...) // all there are, for a superuser
		w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{IsActive: new(false), At: noon}))
		grants() // none, for an inactive one
	})
}

func TestImportAndExport(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		batch := []store.Record{
			{Username: "ada", Email: "ada@example.com", Password: "pbkdf2_sha256$1$s$h", IsActive: true, IsStaff: true, DateJoined: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Groups: []string{"Editors", "Authors"}, Permissions: []string{"auth.add_user"}, EmailVerified: new(true), Providers: map[string][]string{"google": {"108 2", "1083"}, "github": {"583231"}}},
			{Username: "bob", Email: "Bob@example.com", EmailVerified: new(false), Password: "!unusable", FirstName: "Bob", DateJoined: time.Date(2021, 1, 2, 3, 4, 5, 678000, time.UTC)},
			{Username: "cyd", Password: "argon2$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA", LastName: "C", DateJoined: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), LastLogin: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)},
		}
		for _, want := range []int{3, 0} {
			n, err := s.Transfer().Import(w.ctx, batch)
			w.must(err)
			if n != want {
				t.Errorf("imported %d, want %d", n, want)
			}
		}
		var got []store.Record
		w.must(s.Transfer().Stream(w.ctx, func(r store.Record) error {
			r.ID = ""
			got = append(got, r)
			return nil
		}))
		if d := cmp.Diff(batch, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		bad := []store.Record{{Username: "dan"}, {Username: "eve", Permissions: []string{"auth.no"}}}
		if _, err := s.Transfer().Import(w.ctx, bad); !errors.Is(err, jotgate.ErrNotFound) || !strings.Contains(err.Error(), `"eve"`) {
			t.Errorf("a permission that is not there: %v", err)
		}
		taken := []store.Record{{Username: "dan"}, {Username: "eve", Providers: map[string][]string{"google": {"1083"}}}}
		if _, err := s.Transfer().Import(w.ctx, taken); !errors.Is(err, jotgate.ErrConnected) || !strings.Contains(err.Error(), `"eve"`) {
			t.Errorf("an account at a provider of another user: %v", err)
		}
		n, _, err := s.Transfer().Count(w.ctx)
		w.must(err)
		if n != 3 {
			t.Errorf("%d accounts after a batch that failed, want 3", n)
		}
	})
}

func TestFacts(t *testing.T) {
	both(t, func(w *world) {
		w.exec("CREATE TABLE unrelated (id integer)") // so that there is a file
		s, err := w.dial(store.Schema{}, true)
		w.must(err)
		facts := w.facts(s)
		s.Close()
		users := facts[slices.IndexFunc(facts, func(f store.Fact) bool { return f.About == "auth_user" })]
		if !users.Fatal || users.Fix == "" {
			t.Errorf("of an empty database: %+v", users)
		}
		if n := w.count(w.on("SELECT COUNT(*) FROM sqlite_schema", "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'")); n != 1 {
			t.Errorf("inspecting made tables: %d", n)
		}

		s = w.open()
		facts = w.facts(s)
		for _, f := range facts {
			if !f.OK || f.Fatal {
				t.Errorf("of a new database: %+v", f)
			}
		}
		w.exec("DROP INDEX jotgate_user_email")
		w.exec("DROP TABLE jotgate_event")
		w.exec("ALTER TABLE auth_user DROP COLUMN password")
		facts = w.facts(s)
		wrong := map[string]bool{}
		for _, f := range facts {
			if !f.OK {
				wrong[f.About] = f.Fatal
			}
		}
		if d := cmp.Diff(map[string]bool{"jotgate_user_email": false, "jotgate_event": true, "auth_user.password": true}, wrong); d != "" {
			t.Errorf("what is wrong, and whether it is fatal (-want +got):\n%s", d)
		}
	})
}
