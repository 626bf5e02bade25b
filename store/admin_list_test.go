package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// crowd creates 60 users: user0 to user59. Every tenth is staff, every ninth is
// inactive, and the name of each is one of a few.
func crowd(w *world, s *store.Store) (list []*record.Account) {
	w.Helper()
	for i := range 60 {
		a := &record.Account{
			Username: fmt.Sprintf("user%d", i), Email: fmt.Sprintf("Box%d@example.%s", i, []string{"com", "org"}[i%2]), Password: "x",
			FirstName: []string{"Ada", "Édith", "Łukasz"}[i%3], LastName: "Last_" + fmt.Sprint(i%7), IsActive: i%9 != 8, IsStaff: i%10 == 9,
		}
		w.must(s.Accounts().Create(w.ctx, a))
		list = append(list, a)
	}
	return list
}

// names lists the usernames of all pages of a query.
func names(w *world, s *store.Store, q adminstore.Query) (list []string) {
	w.Helper()
	for q.Limit = 7; ; {
		page, err := s.Admin().Users(w.ctx, q)
		w.must(err)
		for _, u := range page.Users {
			list = append(list, u.Username)
		}
		if page.Next == "" {
			break
		}
		if len(page.Users) != q.Limit {
			w.Errorf("%+v: a page of %d", q, len(page.Users))
		}
		q.After = page.Next
	}
	n, err := s.Admin().Count(w.ctx, q)
	w.must(err)
	if n != len(list) && q.Sort != "login" {
		w.Errorf("%+v: the count is %d, the pages have %d", q, n, len(list))
	}
	return list
}

// Pages by key list every selected user exactly once, in order.
func TestAdminUsers(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		list := crowd(w, s)
		in := func(which func(i int, a *record.Account) bool) (names []string) {
			for i, a := range list {
				if which(i, a) {
					names = append(names, a.Username)
				}
			}
			return names
		}
		everyone := in(func(int, *record.Account) bool { return true })
		byName := slices.Sorted(slices.Values(everyone))
		group, err := s.Groups().Create(w.ctx, "editors")
		w.must(err)
		friends, err := s.Groups().Create(w.ctx, "friends")
		w.must(err)
		w.must(s.Groups().AddMember(w.ctx, list[3].ID, "editors"))
		w.must(s.Groups().AddMember(w.ctx, list[9].ID, "editors"))
		for _, which := range []struct {
			i             int
			provider, uid string
		}{{4, "google", "1"}, {19, "google", "2"}, {19, "google", "3"}, {20, "google", "4"}, {20, "github", "4"}, {21, "github", "5"}} {
			w.must(s.SocialAccounts().ChangeSocial(w.ctx, record.SocialChange{User: list[which.i].ID, At: noon, Connect: &record.SocialAccount{Provider: which.provider, UID: which.uid, Data: "{}"}}))
		}
		w.must(s.Groups().AddMember(w.ctx, list[20].ID, "friends"))
		yes, no := true, false
		for _, c := range []struct {
			name string
			q    adminstore.Query
			want []string
		}{
			{"all", adminstore.Query{}, everyone},
			{"down", adminstore.Query{Sort: "-id"}, reversed(everyone)},
			{"by name", adminstore.Query{Sort: "username"}, byName},
			{"by name, down", adminstore.Query{Sort: "-username"}, reversed(byName)},
			{"joined", adminstore.Query{Sort: "joined"}, everyone},
			{"never logged in, by login", adminstore.Query{Sort: "login"}, nil},
			{"staff", adminstore.Query{Staff: &yes}, in(func(_ int, a *record.Account) bool { return a.IsStaff })},
			{"inactive staff", adminstore.Query{Staff: &yes, Active: &no}, in(func(_ int, a *record.Account) bool { return a.IsStaff && !a.IsActive })},
			{"not staff", adminstore.Query{Staff: &no}, in(func(_ int, a *record.Account) bool { return !a.IsStaff })},
			{"superusers", adminstore.Query{Superuser: &yes}, nil},
			{"never", adminstore.Query{Never: &yes}, everyone},
			{"without factor", adminstore.Query{MFA: &no}, everyone},
			{"with factor", adminstore.Query{MFA: &yes}, nil},
			{"group", adminstore.Query{Group: group.ID}, []string{"user3", "user9"}},
			{"staff of a group", adminstore.Query{Group: group.ID, Staff: &yes}, []string{"user9"}},
			{"some", adminstore.Query{IDs: []record.UserID{list[5].ID, list[2].ID}}, []string{"user2", "user5"}},
			{"none", adminstore.Query{IDs: []record.UserID{}}, nil},
			{"prefix", adminstore.Query{Search: "u"}, byName},
			{"middle of an address", adminstore.Query{Search: "x5@EXAM"}, []string{"user5"}},
			{"end of a name and beginning of a domain", adminstore.Query{Search: "ox15@EXAM"}, []string{"user15"}},
			{"a whole name and a domain", adminstore.Query{Search: "box15@EXAM"}, []string{"user15"}},
			{"a whole name and another domain", adminstore.Query{Search: "box15@exom"}, nil},
			{"first name, folded", adminstore.Query{Search: "ukas"}, in(func(i int, _ *record.Account) bool { return i%3 == 2 })},
			{"two words", adminstore.Query{Search: "ada org"}, in(func(i int, _ *record.Account) bool { return i%3 == 0 && i%2 == 1 })},
			{"wildcards are text", adminstore.Query{Search: "ast_3"}, in(func(i int, _ *record.Account) bool { return i%7 == 3 })},
			{"quotes are text", adminstore.Query{Search: `"ada" OR 1`}, nil},
			{"search in a group", adminstore.Query{Search: "user", Group: group.ID}, []string{"user3", "user9"}},
			{"prefix of an address", adminstore.Query{Search: "b@"}, nil},
			{"provider", adminstore.Query{Provider: "google"}, []string{"user4", "user19", "user20"}},
			{"another provider", adminstore.Query{Provider: "github"}, []string{"user20", "user21"}},
			{"unknown provider", adminstore.Query{Provider: "Google"}, nil},
			{"staff with a provider", adminstore.Query{Provider: "google", Staff: &yes}, []string{"user19"}},
			{"some with a provider", adminstore.Query{Provider: "google", IDs: []record.UserID{list[3].ID, list[4].ID}}, []string{"user4"}},
			{"provider in a group", adminstore.Query{Provider: "google", Group: friends.ID}, []string{"user20"}},
			{"search with a provider", adminstore.Query{Provider: "google", Search: "user1"}, []string{"user19"}},
			{"prefix with a provider", adminstore.Query{Provider: "google", Search: "u"}, []string{"user19", "user20", "user4"}},
			{"with a provider, without factor", adminstore.Query{Provider: "github", MFA: &no}, []string{"user20", "user21"}},
			{"search and filter", adminstore.Query{Search: "user1", Staff: &yes}, []string{"user19"}},
		} {
			if d := cmp.Diff(c.want, names(w, s, c.q)); d != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, d)
			}
		}
	})
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// Sorted by address, a list has every user with an address once, in upper or lower
// case, also if many have the same one.
func TestAdminByAddress(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		for i, address := range []string{"c@x.org", "", "B@x.org", "a@x.org", "same@x.org", "same@x.org", "same@x.org", ""} {
			w.must(s.Accounts().Create(w.ctx, &record.Account{Username: fmt.Sprint("u", i), Email: address, Password: "x", IsActive: true}))
		}
		for sort, want := range map[string]string{"email": "u3 u2 u0 u4 u5 u6", "-email": "u6 u5 u4 u0 u2 u3"} {
			var got []string
			for q := (adminstore.Query{Sort: sort, Limit: 1}); ; {
				page, err := s.Admin().Users(w.ctx, q)
				w.must(err)
				for _, u := range page.Users {
					got = append(got, u.Username)
				}
				if q.After = page.Next; q.After == "" {
					break
				}
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: %v, want %s", sort, got, want)
			}
		}
		if got := w.openWith(custom(w, "")).Admin().Sorts(); slices.Contains(got, "email") {
			t.Errorf("the login name is the address, and %v", got)
		}
	})
}

// The index follows every change of the table, whoever makes it.
func TestAdminSearchFollows(t *testing.T) {
	both(t, func(w *world) {
		s := w.open()
		a := w.account(s, "margaret")
		if got := names(w, s, adminstore.Query{Search: "garet"}); len(got) != 1 {
			t.Fatal(got)
		}
		w.must(s.Accounts().Change(w.ctx, a.ID, record.Change{Username: new("mildred"), LastName: new("Heafield")}))
		w.exec("UPDATE auth_user SET first_name = 'Hamilton'")
		for search, want := range map[string]int{"garet": 1, "ildre": 1, "eafie": 1, "amilt": 1, "garets": 0} { // the address is as before
			if got := names(w, s, adminstore.Query{Search: search}); len(got) != want {
				t.Errorf("%s: %v", search, got)
			}
		}
		w.must(s.Accounts().Delete(w.ctx, a.ID))
		if got := names(w, s, adminstore.Query{Search: "ildre"}); len(got) != 0 {
			t.Error(got)
		}
	})
}

// A table that a Django site made has no triggers; a search then compares the
// beginning, and says so.
func TestAdminSearchWithoutIndex(t *testing.T) {
	both(t, func(w *world) {
		s := w.openWith(custom(w, ""))
		page, err := s.Admin().Users(w.ctx, adminstore.Query{Search: "example", Limit: 1})
		w.must(err)
		if w.name == "sqlite" && page.Search != adminstore.SearchPrefix {
			t.Error(page.Search)
		}
		for _, name := range []string{"ada@example.com", "Adele@example.com", "bob@example.com"} {
			w.must(s.Accounts().Create(w.ctx, &record.Account{Username: name, Password: "x", IsActive: true}))
		}
		if got := names(w, s, adminstore.Query{Search: "ad"}); !slices.Equal(got, []string{"ada@example.com"}) {
			t.Error(got)
		}
		if got := names(w, s, adminstore.Query{}); len(got) != 3 {
			t.Error(got)
		}
		if n := w.count(w.on("SELECT COUNT(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'accounts_user'", "SELECT COUNT(*) FROM pg_trigger WHERE NOT tgisinternal")); n != 0 {
			t.Errorf("%d triggers on a table of a Django site", n)
		}
	})
}

// Every list is read from an index: no plan scans or sorts the user table. The
// figures with a million users are in bench (make admin).
func TestAdminPlans(t *testing.T) {
	w := sqliteWorld(t)
	s := w.open()
	yes, no := true, false
	for name, q := range map[string]adminstore.Query{
		"first": {}, "after": {After: store.Cursor("500")}, "by name": {Sort: "username", After: store.Cursor("500")},
		"joined": {Sort: "-joined"}, "login": {Sort: "-login"}, "address": {Sort: "email"}, "address, last first": {Sort: "-email"},
		"middle": {Search: "middle"}, "beginning": {Search: "ab"}, "staff": {Staff: &yes}, "superusers": {Superuser: &yes},
		"inactive": {Active: &no}, "never": {Never: &yes}, "group": {Group: 1}, "mfa": {MFA: &yes}, "provider": {Provider: "google"}, "provider, after": {Provider: "google", After: store.Cursor("500")}, "some": {IDs: []record.UserID{"1"}},
	} {
		q.Limit = 100
		for _, line := range plan(w, s, q) {
			page := strings.Contains(line, "SCAN f VIRTUAL TABLE INDEX") // the trigrams of the search, by rowid
			index := strings.Contains(line, "USING") || strings.Contains(line, "SEARCH")
			if strings.HasPrefix(name, "provider") && strings.Contains(line, " s ") && !strings.Contains(line, "USING COVERING INDEX jotgate_provider_user (provider=?") {
				t.Errorf("%s: %s", name, line)
			}
			if strings.Contains(line, "SCAN u") && !index && name != "first" && name != "after" || strings.Contains(line, "SCAN f") && !page {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
}

func plan(w *world, s *store.Store, q adminstore.Query) (lines []string) {
	w.Helper()
	text, args, err := store.PageText(s, q)
	w.must(err)
	rows, err := w.raw.QueryContext(w.ctx, "EXPLAIN QUERY PLAN "+text, args...)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var line string
		w.must(rows.Scan(new(int), new(int), new(int), &line))
		lines = append(lines, line)
	}
	w.Logf("%+v: %s", q, strings.Join(lines, "; "))
	return lines
}

// A group is found where Django's permissions are not installed, too.
func TestAdminGroupWithoutPermissions(t *testing.T) {
	both(t, func(w *world) {
		g, err := w.open().Groups().Create(w.ctx, "Editors")
		w.must(err)
		for _, table := range []string{"auth_group_permissions", "auth_user_user_permissions", "auth_permission"} {
			w.exec("DROP TABLE " + table)
		}
		found, err := w.open().Admin().Group(w.ctx, g.ID)
		w.must(err)
		if found.Name != "Editors" || len(found.Permissions) != 0 {
			t.Errorf("%+v", found)
		}
	})
}
