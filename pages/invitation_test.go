package pages_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// inSystem runs do in a transaction of the administration.
func (s *site) inSystem(do func(ctx context.Context, tx adminstore.SystemTx) error) {
	s.Helper()
	err := s.gate.Store().(*store.Store).Admin().Change(s.Context(), func(ctx context.Context, tx adminstore.Tx) error { return do(ctx, tx.System) })
	if err != nil {
		s.Fatal(err)
	}
}

// invite stores an invitation for seven days, and returns it and the page of its link.
func (s *site) invite(email string, groups ...int64) (record.Invitation, string) {
	s.Helper()
	now := s.gate.Clock.Now()
	i := record.Invitation{Email: email, Groups: append([]int64{}, groups...), By: "1", Nonce: "nonce " + email, Created: now, Expires: now.Add(7 * 24 * time.Hour)}
	s.inSystem(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.AddInvitation(ctx, &i) })
	return i, s.invitationLink(email)
}

func (s *site) invitationLink(email string) string {
	s.Helper()
	uid, token := s.gate.Links().Parts(record.MessageInvitation, &record.Account{Email: email})
	if uid == "" || token == "" {
		s.Fatal("no link")
	}
	return "/account/invitation?" + url.Values{"uid": {uid}, "token": {token}}.Encode()
}

// An invitation is accepted once, although sign-up is closed: the account has the
// verified address and the groups that still exist, and is signed in.
func TestInvitation(t *testing.T) {
	s := newSite(t, pages.Options{NoSignup: true})
	groups := s.gate.Store().(*store.Store).Groups()
	editors, err := groups.Create(t.Context(), "editors")
	if err != nil {
		t.Fatal(err)
	}
	_, link := s.invite("ada@example.com", editors.ID, editors.ID+7)
	got := s.get(link)
	if got.status != http.StatusOK || !strings.Contains(got.body, "ada@example.com") {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	if got = s.post(link, "username", "ada", "password", "123"); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, `aria-invalid="true"`) {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	s.gate.User("taken")
	if got = s.post(link, "username", "taken", "password", long); got.status != http.StatusUnprocessableEntity || !strings.Contains(got.body, "already exists") {
		t.Fatalf("%d\n%s", got.status, got.body)
	}
	if got = s.post(link, "username", "ada", "password", long); got.status != http.StatusOK || got.path != "/account/" {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada")
	if err != nil || a.Email != "ada@example.com" || !a.IsActive || a.IsStaff || a.IsSuperuser {
		t.Fatal(a, err)
	}
	in, permissions, err := s.gate.Store().Accounts().Grants(t.Context(), a.ID)
	if err != nil || len(in) != 1 || in[0].Name != "editors" || len(permissions) != 0 {
		t.Error(in, permissions, err)
	}
	if verified, err := s.gate.Accounts().EmailVerified(t.Context(), a); err != nil || !verified {
		t.Error("the address is not verified", err)
	}
	events, err := s.gate.Store().Events().List(t.Context(), a.ID, 0, 20)
	if err != nil || !slices.ContainsFunc(events, func(e record.Event) bool { return e.Name == "register" && e.Detail == "invitation 1" }) {
		t.Error(events, err)
	}
	s.fresh()
	for _, again := range []shown{s.get(link), s.post(link, "username", "eve", "password", long)} {
		if !strings.Contains(again.body, "not valid") {
			t.Errorf("a used link: %d\n%s", again.status, again.body)
		}
	}
}

// A link is not valid with another token or id, after it was replaced or revoked, and
// after its time.
func TestInvitationNotValid(t *testing.T) {
	s := newSite(t, pages.Options{})
	i, link := s.invite("ada@example.com")
	_, other := s.invite("bob@example.com")
	refused := func(what, link string) {
		t.Helper()
		if got := s.get(link); !strings.Contains(got.body, "This link is not valid") {
			t.Errorf("%s: %d\n%s", what, got.status, got.body)
		}
		got := s.post(link, "username", "eve", "password", long)
		if _, err := s.gate.Store().Accounts().ByLogin(t.Context(), "eve"); err == nil || got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, %v", what, got.status, err)
		}
	}
	address, _, _ := strings.Cut(link, "?")
	of := func(link, name string) string { u, _ := url.Parse(link); return u.Query().Get(name) }
	with := func(uid, token string) string {
		return address + "?" + url.Values{"uid": {uid}, "token": {token}}.Encode()
	}
	refused("nothing", address)
	refused("no token", with(of(link, "uid"), ""))
	refused("the token of another", with(of(link, "uid"), of(other, "token")))
	refused("the id of another", with(of(other, "uid"), of(link, "token")))
	refused("an id that is no number", with("YQ", of(link, "token")))
	refused("one character more", link+"x")
	i.Nonce = "another"
	s.inSystem(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.RenewInvitation(ctx, &i) })
	refused("replaced", link)
	link = s.invitationLink("ada@example.com")
	s.gate.Clock.Advance(7*24*time.Hour - time.Minute)
	if got := s.get(link); !strings.Contains(got.body, `name="password"`) {
		t.Errorf("before its end: %d", got.status)
	}
	s.gate.Clock.Advance(time.Minute)
	refused("expired", link)
	i.Expires = s.gate.Clock.Now().Add(time.Hour)
	s.inSystem(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.RenewInvitation(ctx, &i) })
	s.inSystem(func(ctx context.Context, tx adminstore.SystemTx) error { return tx.DropInvitation(ctx, i.ID) })
	refused("revoked", link)
}

// Of several clients that follow a link concurrently, one creates an account.
func TestInvitationRace(t *testing.T) {
	s := newSite(t, pages.Options{})
	_, link := s.invite("ada@example.com")
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	created := make([]bool, 5)
	for n := range created {
		all.Go(func() {
			in := jotgate.Registration{Username: "ada" + strings.Repeat("a", n), Password: long}
			_, err := s.gate.Links().AcceptInvitation(s.Context(), u.Query().Get("uid"), u.Query().Get("token"), in, jotgate.Client{})
			created[n] = err == nil
		})
	}
	all.Wait()
	users, err := s.gate.Store().Accounts().ByEmail(t.Context(), "ada@example.com")
	if n := len(slices.DeleteFunc(created, func(ok bool) bool { return !ok })); err != nil || n != 1 || len(users) != 1 {
		t.Errorf("%d accepted, %d users, %v", n, len(users), err)
	}
}

// Where users log in by e-mail, the address is the name.
func TestInvitationByEmail(t *testing.T) {
	s := newSite(t, pages.Options{}, func(s *jotgate.Settings) { s.LoginField = "email" })
	_, link := s.invite("ada@example.com")
	if got := s.get(link); strings.Contains(got.body, `name="username"`) {
		t.Error(got.body)
	}
	if got := s.post(link, "password", jotgatetest.Password); got.path != "/account/" {
		t.Fatalf("%d %s\n%s", got.status, got.path, got.body)
	}
	if a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada@example.com"); err != nil || a.Email != a.Username {
		t.Error(a, err)
	}
}
