package pages_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// connectedSite is a site at which ada's account is connected with the user 1 of the
// provider, and a browser in which nobody is signed in.
func connectedSite(t *testing.T) *providerSite { t.Helper(); return connectedTo(t, "example") }

func connectedTo(t *testing.T, id string) *providerSite {
	t.Helper()
	s := newProviderSite(t, pages.Options{})
	s.id = id
	s.user("1", "ada@example.com", true)
	s.standIn()
	ada := s.gate.User("ada")
	change := record.SocialChange{User: ada.ID, At: s.gate.Clock.Now(), Connect: &record.SocialAccount{Provider: id, UID: "1", Data: "{}"}}
	if err := s.gate.Store().SocialAccounts().ChangeSocial(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	return s
}

// eventsNamed lists the newest events with this name.
func (s *site) eventsNamed(name string) (list []record.Event) {
	s.Helper()
	all, err := s.gate.Store().Events().List(s.Context(), "", 0, 100)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range all {
		if e.Name == name {
			list = append(list, e)
		}
	}
	return list
}

// refusedBecause fails the test unless the newest event about a provider is a refusal
// for this reason.
func (s *site) refusedBecause(why string) {
	s.Helper()
	all, err := s.gate.Store().Events().List(s.Context(), "", 0, 1)
	if err != nil || len(all) != 1 || all[0].Name != "provider_refused" || !strings.Contains(all[0].Detail, why) {
		s.Errorf("the newest event is %+v, %v, want %q", all, err, why)
	}
}

// sessions returns how many sessions a user has.
func (s *site) sessions(username string) int {
	s.Helper()
	a, err := s.gate.Store().Accounts().ByLogin(s.Context(), username)
	if err != nil {
		s.Fatal(err)
	}
	list, err := s.gate.Store().Sessions().List(s.Context(), a.ID, s.gate.Clock.Now())
	if err != nil {
		s.Fatal(err)
	}
	return len(list)
}

// Texts of pages about a failure.
const late, wrong, denied, unreachable = "took too long or was completed already", "could not be verified", "did not sign you in", "cannot be reached"

// A badCallback is a login with a provider that differs in one point from one that
// succeeds.
type badCallback struct {
	name string
	page string // "": it signs in
	why  string // in the event
	do   func(s *providerSite, q url.Values) shown
}

// returned goes back after a change of the parameters.
func returned(change func(q url.Values)) func(*providerSite, url.Values) shown {
	return func(s *providerSite, q url.Values) shown {
		change(q)
		return s.arrive(s.id, q)
	}
}

// told goes back after a change of what the provider responds.
func told(change func(*idp)) func(*providerSite, url.Values) shown {
	return func(s *providerSite, q url.Values) shown {
		change(s.idp)
		return s.arrive(s.id, q)
	}
}

// claimed sets a claim of the ID token; nil removes it.
func claimed(name string, value any) func(*providerSite, url.Values) shown {
	return told(func(i *idp) { i.claims[name] = value })
}

// timed sets a claim to a time, from now.
func timed(name string, offset time.Duration) func(*providerSite, url.Values) shown {
	return told(func(i *idp) { i.claims[name] = i.now().Add(offset).Unix() })
}

// signed makes ID tokens in another way.
func signed(sign func(*jwt.Key, jwt.Raw) (string, error)) func(*providerSite, url.Values) shown {
	return told(func(i *idp) { i.sign = sign })
}

// responds changes the response of the endpoint whose path ends so.
func responds(path string, change func(*http.Response)) func(*providerSite, url.Values) shown {
	return told(func(i *idp) { i.reply = map[string]func(*http.Response){path: change} })
}

func redirected(r *http.Response) {
	r.StatusCode = http.StatusTemporaryRedirect
	r.Header.Set("Location", "https://evil.example/")
}

// oversized adds white space, with which the document is still valid JSON.
func oversized(r *http.Response) {
	r.Body = io.NopCloser(io.MultiReader(r.Body, strings.NewReader(strings.Repeat(" ", 1<<20))))
}

func otherKey(id string) func(*jwt.Key, jwt.Raw) (string, error) {
	return func(_ *jwt.Key, c jwt.Raw) (string, error) {
		k, err := jwt.ES256.GenerateKey()
		if err != nil {
			return "", err
		}
		return jwt.Sign(k.WithID(id), c)
	}
}

var badCallbacks = []badCallback{
	{"correct", "", "", returned(func(url.Values) {})},
	{"state missing", late, "not begun", returned(func(q url.Values) { q.Del("state") })},
	{"state empty", late, "not begun", returned(func(q url.Values) { q.Set("state", "") })},
	{"state with the same beginning", late, "not begun", returned(func(q url.Values) { q.Set("state", q.Get("state")[:8]+strings.Repeat("x", 35)) })},
	{"state sent twice", wrong, "state more than once", returned(func(q url.Values) { q.Add("state", q.Get("state")) })},
	{"another browser", late, "not begun", func(s *providerSite, q url.Values) shown {
		s.fresh()
		return s.arrive(s.id, q)
	}},
	{"another browser with a flow of its own", late, "not begun", func(s *providerSite, q url.Values) shown {
		s.fresh()
		s.leave(s.id)
		return s.arrive(s.id, q)
	}},
	{"after 11 minutes", late, "expired", func(s *providerSite, q url.Values) shown {
		s.gate.Clock.Advance(11 * time.Minute)
		return s.arrive(s.id, q)
	}},
	{"callback of another provider", wrong, "another provider", func(s *providerSite, q url.Values) shown { return s.back("other", q) }},
	{"another issuer in the callback", wrong, "another issuer", returned(func(q url.Values) { q.Set("iss", "https://evil.example") })},
	{"cancelled", denied, "access_denied", returned(func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") })},
	{"no code", wrong, "no code", returned(func(q url.Values) { q.Del("code") })},
	{"code used before", wrong, "code was refused", func(s *providerSite, q url.Values) shown {
		delete(s.idp.nonces, q.Get("code"))
		return s.arrive(s.id, q)
	}},
	{"code of another tab", wrong, "nonce", func(s *providerSite, q url.Values) shown {
		q.Set("code", s.leave(s.id).Get("code"))
		return s.arrive(s.id, q)
	}},
	{"issuer", wrong, "ID token", claimed("iss", "https://evil.example")},
	{"issuer missing", wrong, "ID token", claimed("iss", nil)},
	{"nonce", wrong, "nonce", claimed("nonce", "x")},
	{"nonce missing", wrong, "nonce", claimed("nonce", nil)},
	{"audience", wrong, "ID token", claimed("aud", "another")},
	{"audience missing", wrong, "ID token", claimed("aud", nil)},
	{"azp", wrong, "azp", claimed("azp", "another")},
	{"two audiences without azp", wrong, "azp", claimed("aud", []string{"client", "another"})},
	{"expired", wrong, "ID token", timed("exp", -time.Hour)},
	{"not yet issued", wrong, "ID token", timed("iat", time.Hour)},
	{"issued long ago", wrong, "too old", timed("iat", -time.Hour)},
	{"no user", wrong, "ID token", claimed("sub", nil)},
	{"algorithm none", wrong, "ID token", signed(func(_ *jwt.Key, c jwt.Raw) (string, error) {
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none","kid":"k"}`)) + "." + encode([]byte(c)) + ".", nil
	})},
	{"HS256 with the client secret", wrong, "ID token", signed(func(_ *jwt.Key, c jwt.Raw) (string, error) {
		k, err := jwt.NewHMAC(jwt.HS256, []byte(clientSecret))
		if err != nil {
			return "", err
		}
		return jwt.Sign(k.WithID("k"), c)
	})},
	{"unknown key", wrong, "ID token", signed(otherKey("k2"))},
	{"another key with the known id", wrong, "ID token", signed(otherKey("k"))},
	{"a logout token", wrong, "ID token", signed(func(k *jwt.Key, c jwt.Raw) (string, error) { return jwt.Sign(k.WithType("logout+jwt"), c) })},
	{"no ID token", wrong, "id_token", signed(func(*jwt.Key, jwt.Raw) (string, error) { return "", nil })},
	{"provider is down", unreachable, "refused", told(func(i *idp) { i.down = errors.New("connection refused") })},
	{"provider is slow", unreachable, "deadline", told(func(i *idp) { i.down = context.DeadlineExceeded })},
	{"token endpoint fails", unreachable, "500", responds("token", func(r *http.Response) { r.StatusCode = 500 })},
	{"token endpoint redirects", unreachable, "redirect", responds("token", redirected)},
	{"token endpoint is oversized", unreachable, "1 MiB", responds("token", oversized)},
	{"keys redirect", unreachable, "ID token", responds("jwks", redirected)},
	{"keys are oversized", unreachable, "ID token", responds("jwks", oversized)},
}

// Only the correct callback signs in. Each other one leads to a page that says what
// happened, without a session, and is recorded once with its reason.
func TestProviderCallbacks(t *testing.T) {
	for _, c := range badCallbacks {
		t.Run(c.name, func(t *testing.T) { c.test(connectedSite(t)) })
	}
}

func (c *badCallback) test(s *providerSite) {
	s.Helper()
	before := s.sessions("ada")
	got := c.do(s, s.leave(s.id))
	refused := s.eventsNamed("provider_refused")
	if c.page == "" {
		s.is(got, 200, "/account/", "Profile")
		if s.sessions("ada") != before+1 || len(refused) != 0 {
			s.Errorf("%d new sessions, events %+v", s.sessions("ada")-before, refused)
		}
		return
	}
	if got.status != 403 && got.status != 503 || !got.has(c.page) || !got.has(`role="alert"`) || strings.Contains(got.body, clientSecret) {
		s.Errorf("%d, want %q:\n%s", got.status, c.page, got.body)
	}
	if len(refused) != 1 || !strings.Contains(refused[0].Detail, c.why) || refused[0].Outcome != "failure" || refused[0].Endpoint == "" {
		s.Errorf("the events are %+v, want one with %q", refused, c.why)
	}
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	if s.sessions("ada") != before {
		s.Errorf("%d new sessions", s.sessions("ada")-before)
	}
}

// A browser that cannot be sent to the provider is told so, and that is recorded, too.
func TestProviderIsDownAtTheBeginning(t *testing.T) {
	for name, change := range map[string]func(*idp){
		"down": func(i *idp) { i.down = errors.New("connection refused") },
		"slow": func(i *idp) { i.down = context.DeadlineExceeded },
		"redirecting": func(i *idp) {
			i.reply = map[string]func(*http.Response){"openid-configuration": redirected}
		},
		"oversized": func(i *idp) {
			i.reply = map[string]func(*http.Response){"openid-configuration": oversized}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newProviderSite(t, pages.Options{})
			change(s.idp)
			if got := s.post("/account/provider", "provider", "example"); got.status != 503 || !got.has(unreachable) || got.header.Get("Refresh") != "" {
				t.Errorf("%d %v\n%s", got.status, got.header, got.body)
			}
			if list := s.eventsNamed("provider_refused"); len(list) != 1 || !strings.HasPrefix(list[0].Detail, "example: unavailable: ") {
				t.Errorf("the events are %+v", list)
			}
		})
	}
}

// Six tabs at the same time, and one callback sent six times: every flow finishes once,
// whatever the order.
func TestProviderTabs(t *testing.T) {
	for name, flows := range map[string]int{"six tabs": 6, "six times the same": 1} {
		t.Run(name, func(t *testing.T) {
			s := connectedSite(t)
			before := s.sessions("ada")
			var tabs []url.Values
			for range flows {
				tabs = append(tabs, s.leave("example"))
			}
			u, err := url.Parse(s.server.URL)
			if err != nil {
				t.Fatal(err)
			}
			kept := s.jar.Cookies(encrypted(u)) // what the browser has when the tabs come back
			var wg sync.WaitGroup
			places := make(chan string, 6)
			for i := range 6 {
				wg.Go(func() {
					r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+callbackOf("example")+"?"+tabs[i%flows].Encode(), nil)
					if err != nil {
						t.Error(err)
						return
					}
					for _, c := range kept {
						r.AddCookie(c)
					}
					response, err := http.DefaultTransport.RoundTrip(r)
					if err != nil {
						t.Error(err)
						return
					}
					_ = response.Body.Close()
					places <- response.Header.Get("Location")
				})
			}
			wg.Wait()
			close(places)
			in := 0
			for place := range places {
				if place == "/account/" {
					in++
				}
			}
			if in != flows || s.sessions("ada") != before+flows || len(s.eventsNamed("provider_refused")) != 6-flows {
				t.Errorf("%d of %d flows signed in, with %d new sessions; refused: %+v", in, flows, s.sessions("ada")-before, s.eventsNamed("provider_refused"))
			}
		})
	}
}

// A second callback of the same flow shows a page and signs nobody in, although its
// cookie was kept.
func TestProviderFlowIsUsedOnce(t *testing.T) {
	s := connectedSite(t)
	q := s.leave("example")
	u, err := url.Parse(s.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	kept := s.jar.Cookies(encrypted(u))
	s.is(s.back("example", q), 200, "/account/", "Profile")
	s.fresh()
	s.jar.SetCookies(encrypted(u), kept)
	s.idp.nonces[q.Get("code")] = "x" // a provider that accepts the code again
	if got := s.back("example", q); got.status != 403 || !got.has(late) {
		t.Errorf("%d %s", got.status, got.body)
	}
	s.is(s.get("/account/"), 200, "/account/login?next=%2Faccount%2F", "Sign in")
	if list := s.eventsNamed("provider_refused"); len(list) != 1 {
		t.Errorf("the events are %+v", list)
	}
}
