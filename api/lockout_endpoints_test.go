package api

import (
	"slices"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

// The endpoints that compare a password with a stored one. All of them share one
// lockout, which TestH021SiblingRoutesShareTheLimit tries.
func TestEveryPasswordCheckIsKnown(t *testing.T) {
	gate, err := jotgate.New(jotgate.Settings{SecretKey: "a-secret-of-more-than-thirty-two-bytes"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(gate, Settings{EmailChangeNeedsPassword: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range a.routes() {
		for method, act := range map[string]*action{"POST": r.post, "PUT": r.put, "PATCH": r.patch, "DELETE": r.remove} {
			if act == nil || act.fields == nil {
				continue
			}
			named := func(name string) bool {
				return slices.ContainsFunc(act.fields(a), func(f form.Field) bool { return f.Name == name })
			}
			if named("current_password") || named("password") && act.access == open {
				got = append(got, method+" "+r.path)
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"DELETE /auth/users/me/", "DELETE /auth/users/{id}/",
		"PATCH /auth/users/me/", "PATCH /auth/users/{id}/",
		"POST /api-token-auth/", "POST /api/token/", "POST /auth/jwt/create/",
		"POST /auth/users/set_password/", "POST /auth/users/set_username/",
		"PUT /auth/users/me/", "PUT /auth/users/{id}/",
	}
	if !slices.Equal(got, want) {
		t.Errorf("endpoints that take a current password: %q, want %q; add a new one to TestH021SiblingRoutesShareTheLimit, too", got, want)
	}
}
