package together

// Programs that have a token of Django REST framework or a key of djangorestframework-api-key.

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/django"
)

// programs is a site with such programs.
func programs(t *testing.T, address string) *django.Site {
	site := django.Start(t, django.Options{Database: address, Programs: true, Hashers: []string{
		"django.contrib.auth.hashers.PBKDF2PasswordHasher", "project.hashers.Sha512ApiKeyHasher",
	}})
	site.CreateUser(t, django.User{Username: "alice", Password: password})
	return site
}

func apiKey(t *testing.T, site *django.Site, args map[string]any) (key string) {
	t.Helper()
	site.Ask(t, "make_api_key", args, &key)
	return key
}

// TestKeysOfProgramsMoveUnchanged imports the keys of djangorestframework-api-key. What a program sends is accepted and
// refused by jotgate as by Django.
func TestKeysOfProgramsMoveUnchanged(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := programs(t, database(t))
			two, three := apiKey(t, site, map[string]any{"name": "carrier"}), apiKey(t, site, map[string]any{"name": "partner", "version": 3})
			dated := apiKey(t, site, map[string]any{"name": "until 2999", "expiry_date": "2999-01-01T00:00:00Z"})
			keys := map[string]string{
				"of version 2": two, "of version 3": three, "that expires later": dated,
				"revoked":                          apiKey(t, site, map[string]any{"name": "former", "revoked": true}),
				"expired":                          apiKey(t, site, map[string]any{"name": "old", "expiry_date": "2020-01-01T00:00:00Z"}),
				"of version 2 with another secret": two[:len(two)-1] + other(two),
				"of version 3 with another secret": three[:len(three)-1] + other(three),
				"with the secret of another":       two[:8] + three[8:],
				"with an unknown prefix":           "00000000" + two[8:],
				"without a dot":                    strings.Replace(two, ".", "", 1),
				"cut":                              two[:20],
				"empty":                            "",
			}
			command(t, site, "", "client", "create", "machines", "--scope", "orders:read")
			if got := command(t, site, "", "apikey", "import", "machines", "--scope", "orders:read"); got != "imported 3 API keys; skipped 2 revoked or expired, 0 imported before\n" {
				t.Errorf("import: %s", got)
			}
			if got := command(t, site, "", "apikey", "import", "machines", "--scope", "admin"); got != "imported 0 API keys; skipped 2 revoked or expired, 3 imported before\n" {
				t.Errorf("import again: %s", got)
			}
			jotgate := beside(t, site, "--imported-api-keys", "on")
			for range 2 { // the second time from the cache
				for name, key := range keys {
					theirs, ours := http.StatusOK, http.StatusOK
					if name != "of version 2" && name != "of version 3" && name != "that expires later" {
						theirs, ours = http.StatusForbidden, http.StatusUnauthorized
					}
					if got := client.Get(t, site.URL+"/by-key/", "Api-Key "+key); got.Status != theirs {
						t.Errorf("a key %s at Django: %+v", name, got)
					}
					if got := client.Get(t, jotgate.URL+"/auth/check?scope=orders:read", "Api-Key "+key); got.Status != ours {
						t.Errorf("a key %s: %+v, want %d", name, got, ours)
					}
				}
			}
			if got := client.Get(t, jotgate.URL+"/auth/check?scope=admin", "Api-Key "+two); got.Status != http.StatusForbidden {
				t.Errorf("another scope: %+v", got)
			}
			if got := client.Get(t, jotgate.URL+"/auth/check", "Bearer "+two); got.Status != http.StatusUnauthorized {
				t.Errorf("as a bearer token: %+v", got)
			}
			list := command(t, site, "", "apikey", "list", "machines")
			if !regexp.MustCompile(two[:8]+` +carrier +orders:read .* never`).MatchString(list) || !strings.Contains(list, "2999-01-01") {
				t.Errorf("list:\n%s", list)
			}
			command(t, site, "", "apikey", "revoke", "machines", two[:8])
			wait.Until(t, "the revoked key is refused", func() bool {
				return client.Get(t, jotgate.URL+"/auth/check", "Api-Key "+two).Status == http.StatusUnauthorized
			})

			off := beside(t, site)
			if got := client.Get(t, off.URL+"/auth/check", "Api-Key "+three); got.Status != http.StatusUnauthorized {
				t.Errorf("without --imported-api-keys: %+v", got)
			}
		})
	}
}

// other returns a digit that the text does not end with.
func other(key string) string {
	if strings.HasSuffix(key, "0") {
		return "1"
	}
	return "0"
}

// TestTokensOfProgramsMoveUnchanged shows --authtokens: a token that Django's own endpoint gave opens both sides.
func TestTokensOfProgramsMoveUnchanged(t *testing.T) {
	for name, database := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			site := programs(t, database(t))
			token := client.Post(t, site.URL+"/api-token-auth/", "username", "alice", "password", password).Text("token")
			jotgate := beside(t, site, "--authtokens", "on")
			for name, header := range map[string]string{
				"": "Token " + token, "in another case": "token " + token, "another token": "Token " + token[:39] + other(token),
				"another scheme": "Bearer " + token, "upper case": "Token " + strings.ToUpper(token), "two words": "Token " + token + " x",
			} {
				want := http.StatusUnauthorized
				if name == "" || name == "in another case" {
					want = http.StatusOK
				}
				for side, url := range map[string]string{"Django": site.URL + "/by-token/", "jotgate": jotgate.URL + "/auth/users/me/"} {
					got := client.Get(t, url, header)
					if got.Status != want || want == http.StatusOK && got.Text("username") != "alice" {
						t.Errorf("%s %s: %+v, want %d", side, name, got, want)
					}
				}
			}
			site.Ask(t, "change_user", map[string]any{"username": "alice", "is_active": false}, nil)
			fresh := beside(t, site, "--authtokens", "on")
			for side, url := range map[string]string{"Django": site.URL + "/by-token/", "jotgate": fresh.URL + "/auth/users/me/"} {
				if got := client.Get(t, url, "Token "+token); got.Status != http.StatusUnauthorized {
					t.Errorf("%s: an inactive user: %+v", side, got)
				}
			}
		})
	}
}
