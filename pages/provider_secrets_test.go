package pages_test

import (
	"bytes"
	"html"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/store"
)

// What a login with a provider needs is neither in the log nor in the database: the secret
// of the client, the provider's code and its tokens, the state, the nonce and the cookies.
// One login succeeds, one has a code that the provider does not know.
func TestSecretsOfProvidersAreNowhere(t *testing.T) {
	log := new(capture.Output)
	s := newProviderSite(t, pages.Options{}, func(g *jotgate.Settings) {
		g.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	secrets := []string{clientSecret}
	s.idp.sign = func(key *jwt.Key, claims jwt.Raw) (string, error) {
		token, err := jwt.Sign(key, claims)
		secrets = append(secrets, token)
		return token, err
	}
	s.user("1", "ada@example.com", true)
	leave := func() url.Values {
		callback := s.leave("example")
		s.idp.mu.Lock()
		nonce := s.idp.nonces[callback.Get("code")]
		s.idp.mu.Unlock()
		secrets = append(secrets, callback.Get("code"), callback.Get("state"), nonce)
		return callback
	}
	back := func(callback url.Values) shown {
		for _, c := range s.kept {
			secrets = append(secrets, c.Value)
		}
		return s.back("example", callback)
	}
	page := back(leave())
	s.is(page, 200, "/account/provider/signup", "Create your account")
	s.is(s.post("/account/provider/signup", "username", "ada2"), 200, "/account/", "Profile")
	s.fresh()
	wrong := leave()
	wrong.Set("code", "a code that the provider does not know")
	secrets = append(secrets, wrong.Get("code"))
	if page := back(wrong); strings.HasPrefix(page.path, "/account/?") || page.path == "/account/" {
		t.Fatalf("signed in: %s", html.EscapeString(page.path))
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	if err := s.gate.Store().(*store.Store).BackupTo(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	rows, err := os.ReadFile(copied)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if len(secret) < 16 {
			t.Errorf("%q is too short to search for", secret)
		}
		for place, text := range map[string][]byte{"database": rows, "log": []byte(log.String())} {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(url.QueryEscape(secret))) {
				t.Errorf("the %s has %s", place, secret)
			}
		}
	}
	if len(secrets) < 10 || !bytes.Contains(rows, []byte("ada2")) || !strings.Contains(log.String(), "provider") {
		t.Errorf("%d secrets; the search finds nothing in the database or in the log:\n%s", len(secrets), log)
	}
}
