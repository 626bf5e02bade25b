package pages_test

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	soft "github.com/descope/virtualwebauthn"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// device is an authenticator of a user, with one key.
type device struct {
	*testing.T
	rp   soft.RelyingParty
	auth soft.Authenticator
	key  soft.Credential
}

func withPasskeys(o *jotgate.Settings) {
	o.RPID, o.RPOrigins = "example.com", []string{"https://example.com"}
}

func newDevice(t *testing.T, owner *record.Account, verifies bool) *device {
	t.Helper()
	d := &device{
		T: t, rp: soft.RelyingParty{ID: "example.com", Name: "Example", Origin: "https://example.com"},
		auth: soft.NewAuthenticatorWithOptions(soft.AuthenticatorOptions{UserHandle: passkey.Handle(string(owner.ID)), UserNotVerified: !verifies}),
		key:  soft.NewCredential(soft.KeyTypeEC2),
	}
	for len(d.key.Key.AttestationData()) != 77 { // virtualwebauthn drops leading zeros
		d.key = soft.NewCredential(soft.KeyTypeEC2)
	}
	return d
}

// create returns the credential for the options of a registration.
func (d *device) create(options string) string {
	d.Helper()
	parsed, err := soft.ParseAttestationOptions(options)
	if err != nil {
		d.Fatal(err)
	}
	d.key.Counter++
	credential := soft.CreateAttestationResponse(d.rp, d.auth, d.key, *parsed)
	return strings.Replace(credential, "{", `{"clientExtensionResults":{"credProps":{"rk":true}},`, 1) // the device stores the key
}

// get returns the credential for the options of a login.
func (d *device) get(options string) string {
	d.Helper()
	parsed, err := soft.ParseAssertionOptions(options)
	if err != nil {
		d.Fatal(err)
	}
	d.key.Counter++
	return soft.CreateAssertionResponse(d.rp, d.auth, d.key, *parsed)
}

// register adds the key to the account.
func (s *site) register(d *device, owner *record.Account, use jotgate.PasskeyUse) (codes []string) {
	s.Helper()
	keys := s.gate.Factors().Passkeys()
	begun, err := keys.Begin(s.Context(), owner, use)
	if err != nil {
		s.Fatal(err)
	}
	_, codes, err = keys.Add(s.Context(), owner, jotgate.NewPasskey{Pending: begun.Pending, Credential: []byte(d.create(string(begun.PublicKey)))}, jotgate.Client{})
	if err != nil {
		s.Fatal(err)
	}
	return codes
}

var (
	publicKey = regexp.MustCompile(`data-passkey="([^"]*)"`)
	token     = regexp.MustCompile(`name="pending" value="([^"]*)"`)
)

// ceremony returns the options and the token in a page.
func (s *site) ceremony(page shown) (options, pending string) {
	s.Helper()
	a, b := publicKey.FindStringSubmatch(page.body), token.FindStringSubmatch(page.body)
	if a == nil || b == nil {
		s.Fatalf("no ceremony on the page:\n%s", page.body)
	}
	return html.UnescapeString(a[1]), html.UnescapeString(b[1])
}

// renewed returns what the script fetches before a ceremony expires.
func (s *site) renewed(purpose string) (options, pending string) {
	s.Helper()
	got := s.post("/account/passkey/options", "for", purpose)
	var c struct {
		PublicKey json.RawMessage
		Pending   string
	}
	if err := json.Unmarshal([]byte(got.body), &c); err != nil || got.status != 200 {
		s.Fatalf("%d %v: %s", got.status, err, got.body)
	}
	return string(c.PublicKey), c.Pending
}

// A passkey signs in by itself, once, also from a page that has been open for long;
// the page says what is wrong with one that does not.
func TestSignInWithAPasskey(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys)
	alice := s.gate.User("alice")
	d := newDevice(t, alice, true)
	s.register(d, alice, jotgate.PasskeyUse{Passwordless: true})

	options, pending := s.ceremony(s.get("/account/login?next=%2Faccount%2Fsessions"))
	credential := d.get(options)
	s.is(s.post("/account/login?next=%2Faccount%2Fsessions", "pending", pending, "credential", credential, "keep", "1"), 200, "/account/sessions", "Sessions")
	if age := s.cookieAge(); age < 24*time.Hour {
		t.Errorf("the user asked to stay signed in, for %v", age)
	}
	s.fresh()
	wrong := s.post("/account/login", "pending", pending, "credential", credential)
	s.is(wrong, 422, "/account/login", "Sign in") // used already
	if !strings.Contains(wrong.body, "could not be used") {
		t.Error("the page does not say that the passkey was not accepted")
	}

	options, pending = s.ceremony(s.get("/account/login"))
	s.gate.Clock.Advance(6 * time.Minute)
	s.is(s.post("/account/login", "pending", pending, "credential", d.get(options)), 422, "/account/login", "Sign in")
	options, pending = s.renewed("login")
	s.is(s.post("/account/login", "pending", pending, "credential", d.get(options)), 200, "/account/", "Profile")

	// A passkey that was removed: the browser is told to forget it.
	if err := s.gate.Factors().Remove(t.Context(), alice, 1, jotgate.Client{}); err != nil {
		t.Fatal(err)
	}
	s.fresh()
	options, pending = s.renewed("login")
	gone := s.post("/account/login", "pending", pending, "credential", d.get(options))
	s.is(gone, 422, "/account/login", "Sign in")
	if !regexp.MustCompile(`data-forget="[\w-]{20,}"`).MatchString(gone.body) {
		t.Error("the browser goes on offering the passkey")
	}
	for _, damaged := range []string{"{}", "x", `{"id":"\"><script>"}`} {
		got := s.post("/account/login", "pending", pending, "credential", damaged)
		s.is(got, 422, "/account/login", "Sign in")
		if strings.Contains(got.body, "data-forget") {
			t.Errorf("%s: an id is repeated", damaged)
		}
	}
}

// cookieAge is how long the browser keeps the cookie of the session.
func (s *site) cookieAge() time.Duration {
	s.Helper()
	u, _ := url.Parse(s.server.URL)
	for _, c := range s.kept {
		if strings.HasSuffix(c.Name, "jotgate") && u.Host != "" {
			return time.Duration(c.MaxAge) * time.Second
		}
	}
	s.Fatal("no cookie")
	return 0
}

// A passkey that did not verify its owner when it was registered is one factor, even if
// it has a PIN now: the password is asked for, whose failures count as those of the login page.
func TestPasskeyWithoutVerification(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys)
	alice := s.gate.User("alice")
	d := newDevice(t, alice, false)
	s.register(d, alice, jotgate.PasskeyUse{SecondFactor: true})
	d.auth.Options.UserNotVerified = false // a thief has set a PIN
	begin := func() {
		s.fresh()
		options, pending := s.ceremony(s.get("/account/login"))
		s.is(s.post("/account/login", "pending", pending, "credential", d.get(options)), 200, "/account/login/password", "Enter your password")
	}
	begin()
	s.is(s.post("/account/login/password"), 422, "/account/login/password", "Enter your password")
	s.is(s.post("/account/login/password", "password", "wrong"), 422, "/account/login/password", "Enter your password")
	s.is(s.post("/account/login/password", "password", jotgatetest.Password), 200, "/account/", "Profile")
	s.is(s.get("/account/login/password"), 200, "/account/", "Profile") // Back
	begin()
	for range 20 {
		if got := s.post("/account/login/password", "password", "wrong"); got.status == 429 {
			s.fresh()
			s.is(s.get("/account/login/password"), 200, "/account/login", "Sign in")
			return
		}
	}
	t.Error("passwords can be guessed there")
}

// A user adds a passkey, renames it, uses it to authenticate again, and removes it.
func TestPasskeysOfAnAccount(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys)
	alice, bob := s.gate.User("alice"), s.gate.User("bob")
	d, other := newDevice(t, alice, true), newDevice(t, bob, true)
	s.register(other, bob, jotgate.PasskeyUse{Passwordless: true})
	s.signIn("alice")

	page := s.get("/account/security/passkey")
	s.is(page, 200, "/account/security/passkey", "Add a passkey")
	options, pending := s.ceremony(page)
	s.is(s.post("/account/security/passkey", "pending", pending, "credential", "{}"), 422, "/account/security/passkey", "Add a passkey")
	s.gate.Clock.Advance(6 * time.Minute)
	s.is(s.post("/account/security/passkey", "pending", pending, "credential", d.create(options)), 422, "/account/security/passkey", "Add a passkey")
	options, pending = s.renewed("new")
	credential := d.create(options)
	s.is(s.post("/account/security/passkey", "pending", pending, "credential", credential), 200, "/account/security?done=passkey", "Security")
	s.is(s.post("/account/security/passkey", "pending", pending, "credential", credential), 422, "/account/security/passkey", "Add a passkey") // twice

	s.is(s.post("/account/security", "rename", "2", "passkey_name", strings.Repeat("x", 101)), 422, "/account/security", "Security")
	renamed := s.post("/account/security", "rename", "2", "passkey_name", "My <key>")
	s.is(renamed, 200, "/account/security?done=saved", "Security")
	if !strings.Contains(renamed.body, "My &lt;key&gt;") || !strings.Contains(renamed.body, `data-signals="/account/passkey/signals"`) {
		t.Error("the page does not show the new name")
	}
	if got := s.post("/account/passkey/signals"); !strings.Contains(got.body, `"allAcceptedCredentialIds":["`) {
		t.Errorf("%d %s", got.status, got.body)
	}

	// Ten minutes later, a change needs another proof: that passkey, not bob's.
	s.gate.Clock.Advance(11 * time.Minute)
	again := s.post("/account/security", "remove", "2")
	s.is(again, 200, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	if got := s.post("/account/passkey/options", "for", "new"); got.status != 403 {
		t.Errorf("a passkey can be added without it: %d", got.status)
	}
	options, pending = s.ceremony(again)
	s.is(s.post("/account/again?next=%2Faccount%2Fsecurity", "pending", pending, "credential", other.get(options)), 422, "/account/again?next=%2Faccount%2Fsecurity", "Confirm that it is you")
	options, pending = s.renewed("again")
	s.is(s.post("/account/again?next=%2Faccount%2Fsecurity", "pending", pending, "credential", d.get(options)), 200, "/account/security", "Security")
	s.is(s.post("/account/security", "remove", "2"), 200, "/account/security?done=saved", "Security")
	s.is(s.post("/account/security", "remove", "2"), 200, "/account/security?done=saved", "Security") // a double click

	// With the choice to ask for it after the password, recovery codes are shown.
	options, pending = s.renewed("second")
	s.is(s.post("/account/security/passkey", "pending", pending, "credential", d.create(options)), 200, "/account/security/passkey", "Save your recovery codes")
}

// A server without passkeys shows none, and a browser that is not signed in gets no
// ceremony for an account.
func TestNoPasskeys(t *testing.T) {
	s := newSite(t, pages.Options{})
	s.gate.User("alice")
	s.signIn("alice")
	for path, status := range map[string]int{"/account/security": 200, "/account/again": 200, "/account/security/passkey": 404} {
		if got := s.get(path); got.status != status || strings.Contains(got.body, "asskey") {
			t.Errorf("%s: %d", path, got.status)
		}
	}
	s = newSite(t, pages.Options{}, withPasskeys)
	for purpose, status := range map[string]int{"login": 200, "step": 401, "enrol": 401, "again": 401, "new": 401, "second": 401, "": 404, "x": 404} {
		if got := s.post("/account/passkey/options", "for", purpose); got.status != status {
			t.Errorf("%q: %d, want %d", purpose, got.status, status)
		}
	}
}

// A user whose second factor is a passkey signs in with it, or with a recovery
// code.
func TestPasskeyStep(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys)
	alice := s.gate.User("alice")
	d := newDevice(t, alice, true)
	codes := s.register(d, alice, jotgate.PasskeyUse{Passwordless: true, SecondFactor: true})

	signIn := func() (pending, credential string) {
		s.fresh()
		page := s.post("/account/login", "username", "alice", "password", jotgatetest.Password)
		s.is(page, 200, "/account/login/passkey", "Use your passkey")
		options, pending := s.ceremony(page)
		return pending, d.get(options)
	}
	pending, credential := signIn()
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", "{}"), 422, "/account/login/passkey", "Use your passkey")
	s.is(s.post("/account/login/passkey", "pending", pending), 422, "/account/login/passkey", "Use your passkey")
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", credential), 200, "/account/", "Profile")
	s.fresh()
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", credential), 200, "/account/login", "Sign in")
	signIn()
	s.gate.Clock.Advance(6 * time.Minute)
	options, pending := s.renewed("step")
	s.is(s.post("/account/login/passkey", "pending", pending, "credential", d.get(options)), 200, "/account/", "Profile")
	signIn()
	s.is(s.post("/account/login/recovery", "recovery_code", codes[0]), 200, "/account/", "Profile")
}

// A login that must set up a second factor offers an app, which needs no script, and a
// passkey; and only the pages of the step that is due are shown.
func TestPasskeyEnrolmentInTheLogin(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys, func(o *jotgate.Settings) { o.RequireMFA = jotgate.MFAAll })
	alice := s.gate.User("alice")
	d := newDevice(t, alice, true)
	password := []string{"username", "alice", "password", jotgatetest.Password}
	page := s.post("/account/login?next=%2Faccount%2Fsessions", password...)
	s.is(page, 200, "/account/login/enrol?next=%2Faccount%2Fsessions", "Set up a second step")
	const here = "/account/login/enrol-passkey?next=%2Faccount%2Fsessions"
	if !strings.Contains(page.body, html.EscapeString(here)) {
		t.Error("the page has no link to the passkey")
	}
	for _, other := range []string{"passkey", "code", "recovery", "password", "new-password"} {
		s.is(s.get("/account/login/"+other), 200, "/account/login/enrol", "Set up a second step")
	}
	page = s.get(here)
	s.is(page, 200, here, "Set up a second step")
	options, pending := s.ceremony(page)
	s.is(s.post(here, "pending", pending), 422, here, "Set up a second step")
	s.is(s.post(here, "pending", pending, "credential", "{}"), 422, here, "Set up a second step")
	s.gate.Clock.Advance(6 * time.Minute)
	s.is(s.post(here, "pending", pending, "credential", d.create(options)), 200, "/account/login?next=%2Faccount%2Fsessions&done=expired", "Sign in")
	s.post("/account/login?next=%2Faccount%2Fsessions", password...)
	options, pending = s.renewed("enrol")
	credential := d.create(options)
	added := s.post(here, "pending", pending, "credential", credential)
	s.is(added, 200, here, "Save your recovery codes")
	if !strings.Contains(added.body, `href="/account/sessions"`) {
		t.Error("the page of the codes does not lead on")
	}
	s.is(s.post(here, "pending", pending, "credential", credential), 200, "/account/sessions", "Sessions") // a double click
	s.is(s.get(here), 200, "/account/sessions", "Sessions")                                                // Back
	if got := s.post("/account/passkey/options", "for", "enrol"); got.status != 401 {
		t.Errorf("%d: a ceremony without a login", got.status)
	}
	s.fresh()
	s.is(s.post("/account/login", password...), 200, "/account/login/passkey", "Use your passkey")
	s.is(s.get("/account/login/enrol-passkey"), 200, "/account/login/passkey", "Use your passkey")
	s.is(s.get("/account/login/enrol"), 200, "/account/login/passkey", "Use your passkey")
}
