package jotgate_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
)

// With the claims that docs/library.md names, every middleware accepts the users that it
// is for: of staff, of any of their groups, and with a permission.
func TestDocumentedClaims(t *testing.T) {
	text, err := os.ReadFile("docs/library.md")
	if err != nil {
		t.Fatal(err)
	}
	lists := regexp.MustCompile(`Claims: \[\]string\{([^}]*)\}`).FindAllSubmatch(text, -1)
	if len(lists) == 0 {
		t.Fatal("docs/library.md has no list of claims")
	}
	for _, list := range lists {
		claims := strings.Split(strings.ReplaceAll(string(list[1]), `"`, ""), ", ")
		gate := jotgatetest.New(t, func(s *jotgate.Settings) { s.Claims = claims })
		alice := gate.User("alice", jotgatetest.Staff)
		gate.AddToGroup(alice, "Authors", "Editors")
		gate.Grant(alice, "blog.add_post")
		for name, require := range map[string]func(http.Handler) http.Handler{
			"RequireStaff": gate.RequireStaff, "RequirePermission": gate.RequirePermission("blog.add_post"),
			"RequireRole, the first group": gate.RequireRole("Authors"), "RequireRole, another group": gate.RequireRole("Editors"),
		} {
			w := httptest.NewRecorder()
			require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if user, _ := jotgate.UserFrom(r.Context()); user.Username != "alice" {
					t.Errorf("%v: %s: the user is %q", claims, name, user.Username)
				}
			})).ServeHTTP(w, gate.Request(alice, "GET", "/", nil))
			if w.Code != http.StatusOK {
				t.Errorf("%v: %s: %d %s", claims, name, w.Code, w.Body)
			}
		}
	}
}
