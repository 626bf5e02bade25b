package oauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// A service account is refused by every kind of login, even if a program such as
// Django's admin gives it a password and an address. The decision is at one place, so
// that a kind of proof that does not exist yet is refused, too.
func TestServiceAccountsDoNotLogIn(t *testing.T) {
	w := newSite(t)
	created := w.create("billing", "orders:read")
	account, err := w.gate.Accounts().ByID(t.Context(), created.User)
	if err != nil || !account.Service || passwd.IsUsable(account.Password) {
		t.Fatalf("%+v, %v", account, err)
	}
	hasher, err := passwd.New("pbkdf2_sha256:1")
	if err != nil {
		t.Fatal(err)
	}
	hash, err := hasher.Make("long enough 1")
	if err != nil {
		t.Fatal(err)
	}
	mail := "billing@example.com"
	if err := w.db.Accounts().Change(t.Context(), account.ID, record.Change{Password: &hash, Email: &mail, VerifyEmail: true}); err != nil {
		t.Fatal(err)
	}
	if account, err = w.gate.Accounts().ByID(t.Context(), created.User); err != nil {
		t.Fatal(err)
	}
	refused := func(door string, err error) {
		t.Helper()
		if !errors.Is(err, jotgate.ErrNoActiveAccount) {
			t.Errorf("%s: %v", door, err)
		}
	}
	_, err = w.gate.Login(t.Context(), "billing", "long enough 1", jotgate.Client{})
	refused("password", err)
	_, err = w.gate.Logins().Check(t.Context(), "billing", "long enough 1")
	refused("Check", err)
	_, err = w.gate.Sessions().Pages().Begin(t.Context(), jotgate.Password("billing", "long enough 1"), jotgate.PageLogin{}, jotgate.Client{})
	refused("page", err)
	_, err = w.gate.Sessions().Start(t.Context(), account, jotgate.ProvedElsewhere("sso"), jotgate.Client{})
	refused("a proof of another program", err)
	for _, kind := range []record.MessageKind{record.MessagePasswordReset, record.MessageUsernameReset} {
		if found, err := w.gate.Links().Request(t.Context(), kind, mail); found || err != nil {
			t.Errorf("%s: a link was sent: %v, %v", kind, found, err)
		}
	}

	// As Django does, it has groups; a program may use API keys of the account.
	keys, err := apikey.New(w.gate, w.db.Store.APIKeys(), apikey.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.Create(t.Context(), account, apikey.Request{Name: "x", Scopes: []string{"a"}}, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Api-Key", key.Secret)
	if user, err := w.gate.Authenticate(r); err != nil || user.ID != account.ID {
		t.Errorf("its API key: %v", err)
	}
}
