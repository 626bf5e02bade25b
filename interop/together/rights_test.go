package together

// The rights in the administration, decided by both sides.

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
)

// rightsActor is a user who tries to do something.
type rightsActor struct {
	Staff       bool     `json:"staff"`
	Superuser   bool     `json:"superuser"`
	Active      bool     `json:"active"`
	Permissions []string `json:"permissions"`
}

// verbs are what Django has permissions for.
var verbs = []string{"view", "change", "add", "delete"}

// rightsActors are staff with sets of the permissions on users, and on groups: none, one and all of the four, at length
// every set; and a superuser, and users with all permissions who are not staff or not active.
func rightsActors() map[string]rightsActor {
	var all []string
	actors := map[string]rightsActor{"super": {Staff: true, Superuser: true, Active: true}}
	for _, model := range []string{"user", "group"} {
		for set := range 16 {
			var permissions []string
			for i, verb := range verbs {
				if set>>i&1 == 1 {
					permissions = append(permissions, "auth."+verb+"_"+model)
				}
			}
			if n := len(permissions); (n == 2 || n == 3) && !rounds.Long() {
				continue
			}
			actors[fmt.Sprintf("%s%02d", model, set)] = rightsActor{Staff: true, Active: true, Permissions: permissions}
			if set == 15 {
				all = append(all, permissions...)
			}
		}
	}
	actors["unstaffed"], actors["inactive"] = rightsActor{Active: true, Permissions: all}, rightsActor{Staff: true, Permissions: all}
	return actors
}

// For each of these actors, jotgate decides as a real Django admin does whether it may view, change, add and delete users
// and groups. (jotgate is stricter than Django where the target has rights that the actor lacks: TestPermissionMatrix of
// package admin.)
func TestRightsOfDjangosAdmin(t *testing.T) {
	for name, database := range databases {
		if name != "sqlite" && !rounds.Long() {
			continue // neither side's decision depends on the database
		}
		t.Run(name, func(t *testing.T) {
			site := django.Open(t, django.Options{Database: database(t)})
			superuser(t, site, "root", "root@example.com")
			actors, decided := rightsActors(), map[string]map[string]map[string]bool{} // by actor, model and verb
			for name, actor := range actors {
				var may map[string]map[string]bool
				site.Ask(t, "admin_rights", map[string]any{"name": name, "actor": actor, "password": password}, &may)
				decided[name] = may
			}
			r := &rights{T: t, base: beside(t, site, "--hasher", "pbkdf2_sha256:1000", "--log-level", "error",
				"--access-token-lifetime", "24h", "--step-up-lifetime", "24h").URL}
			r.root = r.login("root")
			allowed := 0
			for _, actor := range slices.Sorted(maps.Keys(actors)) {
				access := r.login(actor)
				for _, model := range []string{"user", "group"} {
					for _, verb := range verbs {
						got, want := r.may(access, model, verb), decided[actor][model][verb]
						if got != want {
							t.Errorf("%s %v: %s a %s: %v, Django %v", actor, actors[actor].Permissions, verb, model, got, want)
						}
						if want {
							allowed++
						}
					}
				}
			}
			t.Logf("%d actors, %d cells, %d of them allowed", len(actors), 8*len(actors), allowed)
			if len(decided) != len(actors) || allowed < 25 {
				t.Errorf("Django decided about %d actors and allowed %d cells", len(decided), allowed)
			}
		})
	}
}

// rights asks jotgate.
type rights struct {
	*testing.T
	base, root string
	targets    int
}

// login returns the Authorization header of a user; "" if the user cannot log in.
func (r *rights) login(username string) string {
	r.Helper()
	got := client.Post(r, r.base+"/api/token/", "username", username, "password", password)
	if got.Status != http.StatusOK {
		return ""
	}
	return "Bearer " + got.Text("access")
}

// may tries to do this with a target of its own.
func (r *rights) may(access, model, verb string) bool {
	r.Helper()
	r.targets++
	field, list := map[string]string{"user": "username", "group": "name"}[model], r.base+"/admin/api/"+model+"s/"
	add := func(as, name string) client.Answer {
		return client.PostAs(r, as, list+"add/", field, fmt.Sprint(name, r.targets))
	}
	made := add(r.root, "target")
	if made.Status != http.StatusOK {
		r.Fatalf("no target: %+v", made)
	}
	target := list + made.Text("id") + "/"
	var got client.Answer
	switch verb {
	case "view":
		got = client.Get(r, target, access)
	case "change":
		got = client.PostAs(r, access, target+"change/", field, fmt.Sprint("changed", r.targets))
	case "add":
		got = add(access, "added")
	case "delete":
		got = client.PostAs(r, access, target+"delete/")
	}
	if got.Status != http.StatusOK && got.Status != http.StatusForbidden && (got.Status != http.StatusUnauthorized || access != "") {
		r.Errorf("%s a %s: %+v", verb, model, got)
	}
	return got.Status == http.StatusOK
}
