package api

import (
	"context"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/record"
)

// actingFor returns the header with an access token of carol, who acts for the user.
func (s *site) actingFor(name string) []string {
	s.t.Helper()
	session := s.gate.Sessions().NewImpersonation(s.account(name), s.account("carol").ID, nil, jotgate.Client{})
	if err := s.db.Admin().Change(s.t.Context(), func(ctx context.Context, tx adminstore.Tx) error { return tx.Users.Impersonate(ctx, session) }); err != nil {
		s.t.Fatal(err)
	}
	tokens, err := s.gate.Sessions().Issue(s.t.Context(), s.account(name), session)
	if err != nil {
		s.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + tokens.Access}
}

// A member of staff who acts for a user changes nothing of the account: every route
// that needs a token is tried with every method, also one that is added later.
func TestActorChangesNothing(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.SendActivationEmail = false }})
	before := *s.account("alice")
	refused, allowed, reads := 0, []string{}, 0
	for _, route := range s.routes() {
		path := strings.NewReplacer("{id}", string(before.ID)).Replace(route.path)
		for method, action := range map[string]*action{
			"GET": route.get, "POST": route.post, "PUT": route.put, "PATCH": route.patch, "DELETE": route.remove,
		} {
			if action == nil || action.access != member {
				continue
			}
			a := s.ask(method, path, `{"current_password":"`+goodPassword+`","new_password":"another long secret","email":"m@example.com"}`, s.actingFor("alice")...)
			switch {
			case method == "GET":
				reads++
				if strings.Contains(a.Body, "impersonated") || a.Status == 401 {
					t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
				}
			case action.acting:
				allowed = append(allowed, method+" "+route.path)
			default:
				refused++
				want(t, method+" "+path, a, 403, `"code":"impersonated"`)
			}
		}
	}
	if refused < 15 || reads < 5 || strings.Join(allowed, ", ") != "POST /auth/logout/" {
		t.Errorf("%d refused, %d read, allowed: %v", refused, reads, allowed)
	}
	after := *s.account("alice")
	if before.Password != after.Password || before.Email != after.Email || before.Username != after.Username || !after.IsActive || before.FirstName != after.FirstName {
		t.Errorf("the account was changed: %+v", after)
	}
	for _, e := range s.eventsOf(before.ID) {
		if e.Actor != s.account("carol").ID {
			t.Errorf("an event without the actor: %+v", e)
		}
	}
}

func (s *site) eventsOf(user record.UserID) []record.Event {
	s.t.Helper()
	list, err := s.db.Events().List(s.t.Context(), user, 0, 100)
	if err != nil || len(list) == 0 {
		s.t.Fatalf("%d events, %v", len(list), err)
	}
	return list
}

// A gateway learns who acts.
func TestCheckNamesTheActor(t *testing.T) {
	s := newSite(t, change{})
	a := s.ask("GET", "/auth/check", "", s.actingFor("alice")...)
	if a.Status != 200 || a.Header.Get("X-Auth-Id") != string(s.account("alice").ID) || a.Header.Get("X-Auth-Actor") != string(s.account("carol").ID) {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	a = s.ask("GET", "/auth/check", "", s.login("alice").header()...)
	if got, ok := a.Header["X-Auth-Actor"]; !ok || got[0] != "" {
		t.Errorf("without an actor: %v", a.Header)
	}
	want(t, "the user's own page", s.ask("GET", "/auth/users/me/", "", s.actingFor("alice")...), 200, `"alice"`)
}
