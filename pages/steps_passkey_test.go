package pages_test

import (
	"html"
	"regexp"
	"testing"

	soft "github.com/descope/virtualwebauthn"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
)

var ceremony = regexp.MustCompile(`data-passkey="([^"]*)">\s*<input type="hidden" name="pending" value="([^"]*)"`)

// A user whose second factor is a passkey signs in with it, or with a recovery
// code.
func TestPasskeyStep(t *testing.T) {
	s := newSite(t, pages.Options{}, func(o *jotgate.Settings) { o.RPID, o.RPOrigins = "example.com", []string{"https://example.com"} })
	alice := s.gate.User("alice")
	rp := soft.RelyingParty{ID: "example.com", Name: "Example", Origin: "https://example.com"}
	device := soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: passkey.Handle(string(alice.ID))})
	key := soft.NewCredential(soft.KeyTypeEC2)
	for len(key.Key.AttestationData()) != 77 { // virtualwebauthn drops leading zeros
		key = soft.NewCredential(soft.KeyTypeEC2)
	}
	keys := s.gate.Factors().Passkeys()
	begun, err := keys.Begin(t.Context(), alice, jotgate.PasskeyUse{Passwordless: true, SecondFactor: true})
	if err != nil {
		t.Fatal(err)
	}
	create, err := soft.ParseAttestationOptions(string(begun.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	key.Counter = 1
	_, codes, err := keys.Add(t.Context(), alice, jotgate.NewPasskey{Pending: begun.Pending, Credential: []byte(soft.CreateAttestationResponse(rp, device, key, *create))}, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}

	signIn := func() (pending, credential string) {
		s.fresh()
		page := s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
		s.is(page, 200, "/account/login/passkey", "Use your passkey")
		m := ceremony.FindStringSubmatch(page.body)
		if m == nil {
			t.Fatalf("no ceremony on the page:\n%s", page.body)
		}
		get, err := soft.ParseAssertionOptions(html.UnescapeString(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		key.Counter++
		return html.UnescapeString(m[2]), soft.CreateAssertionResponse(rp, device, key, *get)
	}
	pending, credential := signIn()
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", "{}"), 422, "/account/login/passkey", "Use your passkey")
	s.is(s.post("/account/login/passkey", "pending", pending), 422, "/account/login/passkey", "Use your passkey")
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", credential), 200, "/account/", "Profile")
	s.fresh()
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", credential), 200, "/account/login", "Sign in")
	signIn()
	s.is(s.post("/account/login/recovery", "recovery_code", codes[0]), 200, "/account/", "Profile")
}
