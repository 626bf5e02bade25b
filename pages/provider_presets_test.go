package pages_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

const (
	microsoft = "https://login.microsoftonline.com/"
	tenant    = "11111111-2222-3333-4444-555555555555" // of an attacker
	victims   = "alice@example.com"
)

// victimSite is a site at which alice has proved her address, which connects
// accounts by addresses that both sides have proved: the setting with the most to lose.
func victimSite(t *testing.T) *providerSite {
	t.Helper()
	s := newProviderSite(t, pages.Options{}, func(set *jotgate.Settings) { set.LinkVerifiedEmails = true })
	alice := s.gate.User("alice", func(a *record.Account) { a.Email = victims })
	if err := s.gate.Store().Accounts().Change(t.Context(), alice.ID, record.Change{VerifyEmail: true}); err != nil {
		t.Fatal(err)
	}
	s.standIn()
	return s
}

// standIn makes idp also Microsoft and GitHub.
func (s *providerSite) standIn() {
	s.idp.docs = map[string]any{
		"login.microsoftonline.com/common/v2.0/.well-known/openid-configuration": map[string]any{
			"issuer": microsoft + "{tenantid}/v2.0", "authorization_endpoint": microsoft + "common/oauth2/v2.0/authorize",
			"token_endpoint": microsoft + "common/oauth2/v2.0/token", "jwks_uri": microsoft + "jwks", "id_token_signing_alg_values_supported": []string{"ES256"},
		},
		"api.github.com/user":        map[string]any{"id": 1, "login": "octocat", "email": victims, "email_verified": true, "verified": true},
		"api.github.com/user/emails": []any{},
	}
	if s.id == "microsoft" {
		s.idp.claims["iss"], s.idp.claims["tid"], s.idp.claims["oid"] = microsoft+tenant+"/v2.0", tenant, "1"
	}
}

// What can go wrong with any provider, and with one of those with a protocol of their own.
func TestPresetCallbacks(t *testing.T) {
	own := map[string][]badCallback{
		"apple": {
			{"cancelled at Apple", denied, "user_cancelled_authorize", returned(func(q url.Values) { q.Del("code"); q.Set("error", "user_cancelled_authorize") })},
			{"state twice in the form", late, "not begun", returned(func(q url.Values) { q.Add("state", q.Get("state")) })},
			{"another user in the form", "", "", returned(func(q url.Values) { q.Set("user", `{"sub":"2","email":"x@example.com"}`) })},
		},
		"microsoft": {
			{"issuer of another tenant", wrong, "ID token", claimed("tid", "72f988bf-86f1-41af-91ab-2d7cd011db47")},
			{"issuer without a tenant", wrong, "ID token", claimed("iss", microsoft+"{tenantid}/v2.0")},
			{"no oid", wrong, "", claimed("oid", nil)},
		},
		"github": {
			{"user endpoint fails", unreachable, "500", responds("user", func(r *http.Response) { r.StatusCode = 500 })},
			{"user endpoint redirects", unreachable, "redirect", responds("user", redirected)},
			{"user endpoint is oversized", unreachable, "1 MiB", responds("user", oversized)},
			{"addresses fail", unreachable, "500", responds("emails", func(r *http.Response) { r.StatusCode = 500 })},
			{"addresses are oversized", unreachable, "1 MiB", responds("emails", oversized)},
			{"no id", wrong, "", told(func(i *idp) { i.docs["api.github.com/user"] = map[string]any{"login": "octocat"} })},
		},
	}
	without := map[string]map[string]bool{
		"apple":     {"state sent twice": true}, // the form is refused before
		"microsoft": {"no user": true},          // sub is not the id
		"github": { // no ID token
			"another issuer in the callback": true, "code of another tab": true, "nonce": true, "nonce missing": true, "azp": true,
			"two audiences without azp": true, "issued long ago": true, "no ID token": true,
		},
	}
	for id, list := range own {
		for _, c := range append(badCallbacks[:len(badCallbacks):len(badCallbacks)], list...) {
			if without[id][c.name] || id == "github" && strings.Contains(c.why, "ID token") {
				continue
			}
			t.Run(id+", "+c.name, func(t *testing.T) { c.test(connectedTo(t, id)) })
		}
	}
}

// emails sets GitHub's list of addresses.
func (s *providerSite) emails(list ...map[string]any) {
	s.idp.docs["api.github.com/user/emails"] = list
}

// Nobody gets into the account of another person, or connects with it, by an address
// that the provider has not made sure of.
func TestPresetsDoNotLinkVictims(t *testing.T) {
	microsoftUser := func(change map[string]any) func(*providerSite) {
		return func(s *providerSite) {
			s.idp.claims = map[string]any{"iss": microsoft + tenant + "/v2.0", "tid": tenant, "sub": "s", "oid": "00000000-0000-0000-66f3-3332eca7ea81", "email": victims, "preferred_username": victims}
			for name, value := range change {
				s.idp.claims[name] = value
			}
		}
	}
	github := func(list ...map[string]any) func(*providerSite) {
		return func(s *providerSite) { s.emails(list...) }
	}
	address := func(email string, primary, verified any) map[string]any {
		return map[string]any{"email": email, "primary": primary, "verified": verified, "visibility": nil}
	}
	for _, c := range []struct {
		name, id string
		as       func(*providerSite)
		want     string // in: connected by the address; signin: alice is asked to sign in first; signup: another account; no: refused
	}{
		{"Microsoft, xms_edov", "microsoft", microsoftUser(map[string]any{"xms_edov": true}), "in"},
		{"Microsoft, no xms_edov", "microsoft", microsoftUser(nil), "signin"},
		{"Microsoft, xms_edov false", "microsoft", microsoftUser(map[string]any{"xms_edov": false}), "signin"},
		{"Microsoft, xms_edov 0", "microsoft", microsoftUser(map[string]any{"xms_edov": 0}), "signin"},
		{"Microsoft, email_verified", "microsoft", microsoftUser(map[string]any{"email_verified": true, "verified_primary_email": []string{victims}}), "signin"},
		{"Microsoft, issuer of another tenant", "microsoft", microsoftUser(map[string]any{"xms_edov": true, "tid": "72f988bf-86f1-41af-91ab-2d7cd011db47"}), "no"},
		{"GitHub, primary and verified", "github", github(address(victims, true, true)), "in"},
		{"GitHub, primary and not verified", "github", github(address("own@example.com", false, true), address(victims, true, false)), "signin"},
		{"GitHub, verified and not primary", "github", github(address("own@example.com", true, true), address(victims, false, true)), "signup"},
		{"GitHub, the profile alone", "github", github(), "signup"},
		{"GitHub, two primary addresses", "github", github(address(victims, true, false), address("own@example.com", true, true)), "signin"},
		{"Apple, verified", "apple", appleUser(map[string]any{"email": victims, "email_verified": "true"}), "in"},
		{"Apple, not verified", "apple", appleUser(map[string]any{"email": victims, "email_verified": "false"}), "signin"},
		{"Apple, the address in the form alone", "apple", appleUser(map[string]any{"email": nil}), "signup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := victimSite(t)
			c.as(s)
			q := s.leave(c.id)
			if c.id == "apple" {
				q.Set("user", `{"name":{"firstName":"Ada"},"email":"`+victims+`","email_verified":true,"sub":"001.victim"}`)
			}
			got := s.arrive(c.id, q)
			connected := 0
			switch c.want {
			case "in":
				s.is(got, 200, "/account/", "Profile")
				connected = 1
			case "signin":
				s.is(got, 200, "/account/login?done=connect", "Sign in")
			case "signup":
				s.is(got, 200, "/account/provider/signup", "Create your account")
				if strings.Contains(html.UnescapeString(got.body), victims) {
					t.Errorf("the new account would have the address:\n%s", got.body)
				}
			case "no":
				if got.status != 403 || !got.has(wrong) {
					t.Errorf("%d %s", got.status, got.body)
				}
				s.refusedBecause(c.id + ": ")
			}
			if s.sessions("alice") != connected {
				t.Errorf("alice has %d sessions", s.sessions("alice"))
			}
			if list := s.social("alice"); len(list) != connected {
				t.Errorf("connected: %+v", list)
			}
			if c.want != "in" {
				s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
			}
		})
	}
}

// social lists the accounts at providers of a user.
func (s *site) social(username string) []record.SocialAccount {
	s.Helper()
	a, err := s.gate.Store().Accounts().ByLogin(s.Context(), username)
	if err != nil {
		s.Fatal(err)
	}
	list, err := s.gate.Store().SocialAccounts().ListSocial(s.Context(), a.ID)
	if err != nil {
		s.Fatal(err)
	}
	return list
}

// appleUser is a user of Apple.
func appleUser(change map[string]any) func(*providerSite) {
	return func(s *providerSite) {
		s.idp.claims = map[string]any{"iss": "https://appleid.apple.com", "sub": "001.abc"}
		for name, value := range change {
			s.idp.claims[name] = value
		}
	}
}

// arrive is the browser coming back: Apple posts a form.
func (s *providerSite) arrive(id string, q url.Values) shown {
	s.Helper()
	if id == "apple" {
		return s.send(s.form(callbackOf(id), q, "https://appleid.apple.com"))
	}
	return s.back(id, q)
}

// A form that another site posts to Apple's callback changes nothing but for the browser
// that began the flow: no cookie is read, set or deleted by it.
func TestForeignFormPost(t *testing.T) {
	s := victimSite(t)
	appleUser(map[string]any{"email": "mallory@example.com", "email_verified": true})(s)
	mallory := s.leave("apple") // in the attacker's browser
	s.signIn("alice")
	before := s.jar
	r := s.form(callbackOf("apple"), mallory, "https://evil.example")
	response, err := http.DefaultTransport.RoundTrip(r) // a browser sends no Lax cookies
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSeeOther || len(response.Cookies()) != 0 || len(s.eventsNamed("provider_refused")) != 0 {
		t.Errorf("%s, cookies %v, events %+v", response.Status, response.Cookies(), s.eventsNamed("provider_refused"))
	}
	if u, err := response.Location(); err != nil || u.Host != r.URL.Host || u.Path != callbackOf("apple") {
		t.Errorf("the form leads to %v, %v", u, err)
	}
	if got := s.get(response.Header.Get("Location")); got.status != 403 || !got.has(late) {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.refusedBecause("not begun")
	s.jar = before
	s.is(s.get("/account/"), 200, "/account/", "Profile") // still as alice
	if list := s.social("alice"); len(list) != 0 {
		t.Errorf("connected: %+v", list)
	}
}

// The name comes once. A flow that failed after it leaves the user able to sign up
// without it, and a name that is posted later does not change the account.
func TestAppleNameComesOnce(t *testing.T) {
	s := victimSite(t)
	appleUser(map[string]any{"email": "ada@example.com", "email_verified": "true"})(s)
	name := `{"name":{"firstName":"Ada","lastName":"Lovelace"}}`
	q := s.leave("apple")
	q.Set("user", name)
	s.is(s.arrive("apple", q), 200, "/account/provider/signup", "Create your account") // and is given up
	s.fresh()
	s.is(s.arrive("apple", s.leave("apple")), 200, "/account/provider/signup", "Create your account")
	s.is(s.post("/account/provider/signup", "username", "ada"), 200, "/account/", "Profile")
	s.fresh()
	q = s.leave("apple")
	q.Set("user", name)
	s.is(s.arrive("apple", q), 200, "/account/", "Profile")
	a, err := s.gate.Store().Accounts().ByLogin(t.Context(), "ada")
	if err != nil || a.FirstName != "" || a.LastName != "" || a.Email != "ada@example.com" {
		t.Errorf("%+v, %v", a, err)
	}
	// Neither the owner of the address nor alice is affected by a name that claims to be theirs.
	s.is(s.post("/account/logout"), 200, "/account/login?done=signedout", "Sign in")
	s.is(s.post("/account/login", "username", "alice", "password", jotgatetest.Password), 200, "/account/", "Profile")
}
