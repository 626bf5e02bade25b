package claimhook_test

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/claimhook"
	"github.com/jotgate/jotgate/internal/capture"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jotgatetest"
	"github.com/jotgate/jotgate/record"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwJ4Pq8GdcY2Y="

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// longest is the longest time for a response that a hook may have.
const longest = 5 * time.Second

// token logs alice in at a gate with a hook to which a handler responds: again if the response did not come in the
// longest time.
func token(t *testing.T, s claimhook.Settings, handler http.HandlerFunc) (plan string, account *record.Account, err error) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	s.URL, s.Secret, s.Networks, s.Timeout = server.URL+"/claims?key=in-the-url", secret, loopback, cmp.Or(s.Timeout, longest)
	hook, err := claimhook.New(s)
	if err != nil {
		t.Fatal(err)
	}
	gate := jotgatetest.New(t, func(s *jotgate.Settings) { s.CustomClaims = hook.Claims })
	account = &record.Account{Username: "alice", Password: "!", IsActive: true}
	if err := gate.Store().Accounts().Create(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	var tokens jotgate.Tokens
	wait.Until(t, "the hook responds in time", func() bool {
		tokens, err = gate.Sessions().Start(t.Context(), account, jotgate.ProvedElsewhere("test"), jotgate.Client{})
		return s.Timeout != longest || !isLate(err)
	})
	if err != nil {
		return "", account, err
	}
	user, err := gate.VerifyAccess(tokens.Access)
	if err != nil {
		t.Fatal(err)
	}
	plan, _ = jotgate.ClaimInto[string](user, "plan")
	return plan, account, nil
}

func isLate(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}

// respond responds with a status and a body.
func respond(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// The claims of the response are in the token; the request is signed and has the id of the
// account alone.
func TestClaims(t *testing.T) {
	type request struct {
		*http.Request
		body []byte
	}
	var last atomic.Pointer[request]
	plan, account, err := token(t, claimhook.Settings{}, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		last.Store(&request{r, body})
		respond(200, ` {"plan": "free", "limits": {"a": [1, null]}}`)(w, r)
	})
	if err != nil || plan != "free" {
		t.Fatalf("%q %v", plan, err)
	}
	got, body := last.Load(), last.Load().body
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", got.Header.Get("webhook-id"), got.Header.Get("webhook-timestamp"), body)
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.Header.Get("webhook-signature") != want {
		t.Errorf("%v", got.Header)
	}
	if text := string(body); !strings.Contains(text, `"data":{"user_id":`+string(account.ID)+`}`) || strings.Contains(text, "alice") {
		t.Errorf("%s", text)
	}
	for name, handler := range map[string]http.HandlerFunc{"no content": respond(204, ""), "no claims": respond(200, " {} ")} {
		if plan, _, err := token(t, claimhook.Settings{}, handler); err != nil || plan != "" {
			t.Errorf("%s: %q %v", name, plan, err)
		}
	}
}

// slow is the reason of a timeout, whose words depend on where it was noticed.
const slow = "a timeout"

// Without a valid response there is no token or, if the hook is optional, one without its claims.
func TestFailsClosed(t *testing.T) {
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		reason  string
	}{
		"an error":         {respond(500, `{"plan": "free"}`), "the status is 500"},
		"another success":  {respond(201, `{"plan": "free"}`), "the status is 201"},
		"a redirect":       {http.RedirectHandler("https://example.com/", http.StatusTemporaryRedirect).ServeHTTP, "the status is 307"},
		"no JSON":          {respond(200, "free"), "not a JSON object"},
		"nothing":          {respond(200, ""), "not a JSON object"},
		"an array":         {respond(200, `[{"plan": "free"}]`), "not a JSON object"},
		"a name twice":     {respond(200, `{"plan": "free", "plan": "gold"}`), "not a JSON object"},
		"two objects":      {respond(200, `{"plan": "free"}{}`), "not a JSON object"},
		"too long":         {respond(200, `{"plan": "`+strings.Repeat("x", claimhook.MaxResponse)+`"}`), "more than 2048 bytes"},
		"a claim of ours":  {respond(200, `{"exp": 4102444800}`), `may not set "exp"`},
		"the user's claim": {respond(200, `{"user_id": "1"}`), `may not set "user_id"`},
		"no response":      {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		"a slow response": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client is gone
			<-r.Context().Done()
		}, slow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s claimhook.Settings
			if c.reason == slow {
				s.Timeout = 50 * time.Millisecond
			}
			_, _, err := token(t, s, c.handler)
			if c.reason == slow && isLate(err) {
				c.reason = ""
			}
			if !errors.Is(err, jotgate.ErrUnavailable) || !strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "in-the-url") {
				t.Errorf("%v", err)
			}
			var log *capture.Output
			var plan string
			var account *record.Account
			wait.Until(t, "the optional hook responds in time", func() bool {
				log, s.Optional = new(capture.Output), true
				s.Logger = slog.New(slog.NewJSONHandler(log, nil))
				plan, account, err = token(t, s, c.handler)
				return s.Timeout > 0 || !strings.Contains(strings.ToLower(log.String()), "timeout")
			})
			if strings.Contains(c.reason, "may not set") {
				if !errors.Is(err, jotgate.ErrUnavailable) {
					t.Errorf("optional: %v", err)
				}
				return
			}
			if err != nil || plan != "" {
				t.Errorf("optional: %q %v", plan, err)
			}
			for _, part := range []string{`"level":"WARN"`, `"user_id":` + string(account.ID), c.reason} {
				if !strings.Contains(log.String(), part) || strings.Contains(log.String(), "in-the-url") {
					t.Errorf("optional: the log has no %s: %s", part, log.String())
				}
			}
		})
	}
}

func TestSettings(t *testing.T) {
	valid := claimhook.Settings{URL: "https://app.example.com/claims", Secret: secret}
	if _, err := claimhook.New(valid); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(s *claimhook.Settings){
		"URL: ":     func(s *claimhook.Settings) { s.URL = "http://app.example.com/claims" },
		"URL: the":  func(s *claimhook.Settings) { s.URL = "https://127.0.0.1/claims" },
		"URL: it":   func(s *claimhook.Settings) { s.URL = "" },
		"Secret: ":  func(s *claimhook.Settings) { s.Secret = "whsec_c2hvcnQ=" },
		"Secret: t": func(s *claimhook.Settings) { s.Secret = jotgate.Secret(secret[6:]) },
		"Timeout: ": func(s *claimhook.Settings) { s.Timeout = time.Minute },
	} {
		s := valid
		change(&s)
		if _, err := claimhook.New(s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A name is resolved when the connection is made, and its address is checked then.
	hook, err := claimhook.New(claimhook.Settings{URL: "https://localhost:1/claims", Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hook.Claims(t.Context(), &record.Account{ID: "1"}); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Error(err)
	}
}
