package providers

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
)

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// Three users sign up and sign in to an application with a listener on a loopback port, through the certified provider.
func TestApplication(t *testing.T) { onBoth(t, testApplication) }

func testApplication(t *testing.T, on database) {
	s := newSite(t, on, nil, func(o *jotgate.Settings) { o.AppRedirects = []string{"http://127.0.0.1"} })
	var got url.Values // what the browser has brought back
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/in" {
			got = r.URL.Query()
		}
	}))
	defer app.Close()
	for user, username := range map[string]string{"verified": "vera", "unverified": "una", "none": "nona"} {
		for round := range 2 { // signing up, and another browser
			s.jar, _ = cookiejar.New(nil)
			if said := s.issuer.Ask(t, user); said != "ok" {
				t.Fatal(said)
			}
			got = nil
			path, body := s.send(http.MethodGet, s.start(app.URL+"/in"), nil)
			if round == 0 {
				if !strings.HasPrefix(path, "/account/provider/signup?") {
					t.Fatalf("the browser is at %s:\n%s", path, body)
				}
				s.post(path, "username", username)
			}
			if got.Get("state") != "s" || got.Has("error") {
				t.Fatalf("%s, round %d: the application has got %v", user, round, got)
			}
			l, err := s.gate.Logins().Providers().Exchange(t.Context(), got.Get("code"), verifier, app.URL+"/in", jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			state, err := s.gate.Logins().Begin(t.Context(), l.Proof(), jotgate.Client{})
			if err != nil {
				t.Fatal(err)
			}
			if u, err := s.gate.VerifyAccess(state.Tokens.Access); err != nil || u.Username != username {
				t.Errorf("%s: %+v, %v", user, u, err)
			}
		}
	}
}

// start returns the address that the application opens in the browser.
func (s *site) start(redirect string) string {
	s.Helper()
	digest := sha256.Sum256([]byte(verifier))
	_, body := s.send(http.MethodPost, s.url+"/account/provider/start", url.Values{
		"provider": {"certified"}, "redirect_uri": {redirect}, "code_challenge": {base64.RawURLEncoding.EncodeToString(digest[:])}, "state": {"s"},
	})
	var answer struct{ URL string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.URL == "" {
		s.Fatalf("%s, %v", body, err)
	}
	return answer.URL
}
