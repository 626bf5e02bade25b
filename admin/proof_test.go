package admin_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// A dangerous action needs a recent proof; the page leads to it and back.
func TestRecentProof(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.signIn("root")
	s.gate.Clock.Advance(4 * time.Minute)
	s.gate.Clock.Advance(s.gate.Settings().StepUpLifetime - 3*time.Minute)
	if got := s.get("/admin/users/2/"); got.status != 200 {
		t.Fatalf("%d", got.status)
	}
	for _, path := range []string{"/admin/users/2/delete", "/admin/users/add"} {
		if got := s.get(path); got.path != "/account/again?next="+url.QueryEscape(path) {
			t.Errorf("%s: %d %s", path, got.status, got.path)
		}
	}
	if got := s.post("/admin/users/2/delete", url.Values{}); got.path != "/account/again?next=%2Fadmin%2Fusers%2F2%2Fdelete" {
		t.Errorf("%d %s", got.status, got.path)
	}
	if got := s.post("/admin/users/2/change", url.Values{"first_name": {"Ada"}}); got.path != "/admin/users/?done=user.change&id=2" {
		t.Errorf("a name: %d %s", got.status, got.path)
	}
	if got := s.post("/admin/users/2/change", url.Values{"is_staff": {"true"}}); !strings.HasPrefix(got.path, "/account/again") || s.account("alice").IsStaff {
		t.Errorf("a right: %d %s", got.status, got.path)
	}
	got := s.post("/account/again?next=%2Fadmin%2Fusers%2F2%2Fdelete", url.Values{"password": {jotgatetest.Password}})
	if got.path != "/admin/users/2/delete" || got.status != 200 {
		t.Fatalf("%d %s", got.status, got.path)
	}
	if got := s.post("/admin/users/2/delete", url.Values{}); got.path != "/admin/users/?done=user.delete" {
		t.Errorf("%d %s", got.status, got.path)
	}
}

// A page of another origin cannot act with the browser's cookie.
func TestOtherOrigin(t *testing.T) {
	s := newSite(t, admin.Options{})
	s.gate.User("root", jotgatetest.Superuser)
	s.gate.User("alice")
	s.signIn("root")
	for _, origin := range []string{"https://evil.example", "null"} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.server.URL+"/admin/users/2/delete", strings.NewReader(""))
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		if got := s.do(r); got.status != http.StatusForbidden || len(s.events()) != 0 {
			t.Errorf("%s: %d", origin, got.status)
		}
	}
}

// Staff with a second factor must have used it.
func TestSecondFactor(t *testing.T) {
	s := newSite(t, admin.Options{}, func(s *jotgate.Settings) { s.TrustedBrowser = time.Hour })
	root := s.gate.User("root", jotgatetest.Superuser)
	token := s.gate.Token(root)
	s.signIn("root")
	err := s.gate.Store().Factors().ChangeFactors(t.Context(), record.FactorChange{User: root.ID, Add: []*record.Factor{{User: root.ID, Type: record.FactorTOTP, Data: `{"secret":"x"}`, Created: s.gate.Clock.Now()}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.get("/admin/users/"); !strings.HasPrefix(got.path, "/account/again?next=") {
		t.Errorf("%d %s", got.status, got.path)
	}
	if status, body := s.api(token, "GET", "/admin/api/users/", ""); status != 401 || body["code"] != "insufficient_user_authentication" {
		t.Errorf("%d %v", status, body)
	}
}

// A token that is limited to scopes or to a client opens nothing here, whatever its
// scopes; that of a login does.
func TestLimitedTokens(t *testing.T) {
	for claim, want := range map[string]int{"scope": http.StatusForbidden, "client_id": http.StatusForbidden, "other": http.StatusOK} {
		s := newSite(t, admin.Options{}, func(s *jotgate.Settings) {
			s.CustomClaims = func(context.Context, *record.Account) (jwt.Object, error) {
				return jwt.Object{{Name: claim, Value: jotgate.ScopeAccount}}, nil
			}
		})
		root := s.gate.User("root", jotgatetest.Superuser)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/admin/api/users/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.gate.Token(root))
		if got := s.do(r); got.status != want {
			t.Errorf("%s: %d %s, want %d", claim, got.status, got.body, want)
		}
	}
}
