package frontend

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/freeport"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/serve"
)

// walked is what each step of walk.mjs gets: who is logged in, the address of the account, a status, or the error.
var walked = map[string]any{
	"activate":        204.0,
	"addPasskey":      201.0,
	"afterEverywhere": "401 token_not_valid",
	"afterLateLogout": "401 token_not_valid",
	"afterLink":       200.0,
	"afterLogout":     "401 Authentication credentials were not provided.",
	"afterSet":        "alice@example.com",
	"again":           "alice",
	"blocked":         true,
	"boot":            "401 token_not_valid",
	"bothTabs":        []any{200.0, 200.0},
	"complaints":      []any{},
	"concurrent": []any{
		"alice@example.com", "alice@example.com",
		"alice@example.com", "alice@example.com",
	},
	"cookie":       "",
	"early":        "401 No active account found with the given credentials",
	"email":        "alice@example.com",
	"emailConfirm": 204.0,
	"everywhere":   204.0,
	"expired":      4.0,
	"lateLogout":   true,
	"login":        "alice",
	"logout":       true,
	"me":           "alice@example.com",
	"mfa":          "401 mfa_required",
	"mfaRight":     "alice",
	"mfaWrong":     "401 code_not_valid",
	"newEmail":     "alice@new.example.com",
	"newPassword":  "alice",
	"noAddress":    "400 email: This field is required.",
	"oldPassword":  "401 No active account found with the given credentials",
	"otherTab":     "401 token_not_valid",
	"passkey":      "alice",
	"reload":       200.0,
	"reset":        204.0,
	"resetConfirm": 204.0,
	"secondTab":    200.0,
	"setPassword":  204.0,
	"signUp":       "alice@example.com",
	"tooLow":       "401 insufficient_user_authentication",
	"totp":         10.0,
	"totpWrong":    "401 code_not_valid",
	"unlisted":     "TypeError: Failed to fetch",
	"weak":         "400 password: This password is too common.",
	"wrong":        "401 No active account found with the given credentials",
}

// A single-page application on another origin that its developer writes from docs/http-api.md and examples/browser, in
// Chromium: all that its users do, and what its developer sees of an origin that is not listed.
func TestWalk(t *testing.T) {
	origin := strings.Replace("http://"+freeport.Address(t), "127.0.0.1", "localhost", 1)
	server := serve.Start(t, serve.Options{SecretKey: secret, Args: []string{
		"--cors-origins", origin, "--refresh-cookie", "--send-activation-email", "--print-emails", "--mail-base-url", origin,
		"--access-token-lifetime", "24h", "--refresh-grace", "10m", "--totp-grace", "30s",
	}})
	mail := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(server.Output())) }))
	defer mail.Close()
	var got map[string]any
	node(t, &got, server.Output, "walk.mjs", strings.Replace(server.URL, "127.0.0.1", "localhost", 1), origin, mail.URL, secret)
	late, _ := got["lateCodes"].(float64)
	delete(got, "lateCodes")
	if diff := cmp.Diff(walked, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, server.Output())
	}
	for words, want := range map[string]int{"msg=factor_refused": 2 + int(late), "list its origin (CORSOrigins, --cors-origins)\" origin=http://127.0.0.1:": 1} {
		wait.Until(t, "the log has "+words, func() bool { return strings.Count(server.Output(), words) >= want })
		if n := strings.Count(server.Output(), words); n != want { // a wrong code is sent once, and the log names the flag
			t.Errorf("%d lines with %q, want %d\n%s", n, words, want, server.Output())
		}
	}
}
