package pages

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/store"
)

// A member of staff who acts for a user sends no form of any page, except to sign out
// and to get an access token, and leads no gateway to think that it is the user. A
// page that is added later is tried as well.
func TestFormsOfAnActor(t *testing.T) {
	gate := jotgatetest.New(t)
	root, alice := gate.User("root", jotgatetest.Superuser), gate.User("alice")
	p, err := New(gate.Gate, Options{})
	if err != nil {
		t.Fatal(err)
	}
	session := gate.Sessions().NewImpersonation(alice, root.ID, nil, jotgate.Client{})
	err = gate.Store().(*store.Store).Admin().Change(t.Context(), func(ctx context.Context, tx adminstore.Tx) error { return tx.Users.Impersonate(ctx, session) })
	if err != nil {
		t.Fatal(err)
	}
	cookie := gate.Sessions().Pages().Impersonation(alice, session, &jotgate.PageSession{}, "/admin/").Cookie
	send := func(method, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/account/"+path, strings.NewReader("password="+jotgatetest.Password+"&new_password=another+long+secret&email=m@example.com"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r)
		return w
	}
	refused := 0
	for _, route := range routes {
		if route.act == nil || route.acting {
			continue
		}
		refused++
		if w := send(http.MethodPost, route.path); w.Code != http.StatusForbidden {
			t.Errorf("POST %s: %d %s", route.path, w.Code, w.Header().Get("Location"))
		}
	}
	if refused < 20 {
		t.Errorf("only %d forms", refused)
	}
	if w := send(http.MethodGet, "check"); w.Code != http.StatusOK || w.Header().Get("X-Auth-Actor") != string(root.ID) {
		t.Errorf("check: %d %v", w.Code, w.Header())
	}
	w := send(http.MethodPost, "token")
	_, token, _ := strings.Cut(w.Body.String(), `"access":"`)
	token, _, _ = strings.Cut(token, `"`)
	if user, err := gate.VerifyAccess(token); err != nil || user.Actor() != root.ID {
		t.Errorf("token: %d %s %v", w.Code, w.Body, err)
	}
	if a, err := gate.Store().Accounts().ByID(t.Context(), alice.ID); err != nil || a.Password != alice.Password || a.Email != alice.Email || !a.IsActive {
		t.Errorf("the account was changed: %+v %v", a, err)
	}
	// Made without a session, it has none to return to.
	if w := send(http.MethodPost, "logout"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/account/login") {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	if list, err := gate.Sessions().List(t.Context(), alice.ID); err != nil || len(list) != 0 {
		t.Errorf("after signing out: %v, %v", list, err)
	}
}
