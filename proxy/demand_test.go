package proxy_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/proxy"
)

// Paths with a demand respond as RFC 9470 says, however the path is written and whether or
// not it is protected otherwise; all other paths need a token alone.
func TestStepUp(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	server := unstartedWith(t, guard, upstream, func(s *proxy.Settings) {
		s.StepUp = map[string][]jotgate.Requirement{
			"/api/pay/":        {jotgate.ACR("aal2"), jotgate.Fresh(10 * time.Minute)},
			"/api/pay/refund/": {jotgate.Fresh(time.Minute), jotgate.ACR("aal1")},
			"/reports/":        {jotgate.Fresh(time.Hour)},
		}
	})
	server.Start()
	token := func(age time.Duration, acr string) string {
		claims := map[string]any{"token_type": "access", "exp": now.Unix() + 300, "jti": "x", "user_id": "7", "username": "alice"}
		if age >= 0 {
			claims["auth_time"], claims["acr"] = now.Add(-age).Unix(), acr
		}
		signed, err := jwt.Sign(key, claims)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	const (
		pay     = `Bearer realm="api", error="insufficient_user_authentication", acr_values="aal2", max_age="600"`
		refund  = `Bearer realm="api", error="insufficient_user_authentication", acr_values="aal2", max_age="60"`
		reports = `Bearer realm="api", error="insufficient_user_authentication", max_age="3600"`
	)
	never := time.Duration(-1)
	for _, c := range []struct {
		path, acr, challenge string
		age                  time.Duration
	}{
		{"/api/x", "", "", never},
		{"/api/payment", "", "", never},
		{"/api/pay/1", "", pay, never},
		{"/api/pay/1", "aal1", pay, 0},
		{"/api/pay/1", "aal2", pay, 601 * time.Second},
		{"/api/pay/1", "aal2", "", 600 * time.Second},
		{"/API/Pay/1", "aal1", pay, 0},
		{"/api/x/..%2fpay/1", "aal1", pay, 0},
		{"//api//pay;a=b/1", "aal1", pay, 0},
		{"/api/pay/refund/1", "aal2", refund, 61 * time.Second},
		{"/api/pay/refund/1", "aal1", refund, 0},
		{"/api/pay/refund/1", "aal2", "", 60 * time.Second},
		{"/reports/1", "", reports, never},
		{"/reports/1", "aal1", "", time.Hour},
	} {
		res, s := send(t, server, "GET "+c.path+" HTTP/1.1\nAuthorization: Bearer "+token(c.age, c.acr))
		want := http.StatusOK
		if c.challenge != "" {
			want = http.StatusUnauthorized
		}
		if got := res.Header.Get("Www-Authenticate"); res.StatusCode != want || got != c.challenge || (s.Header.Get("X-Auth-User") == "alice") != (want == 200) {
			t.Errorf("%s, %s %v ago: %d %q, %v", c.path, c.acr, c.age, res.StatusCode, got, s)
		}
	}
	if res, _ := send(t, server, "GET /reports/1 HTTP/1.1"); res.StatusCode != http.StatusUnauthorized || res.Header.Get("Www-Authenticate") != `Bearer realm="api"` {
		t.Errorf("without a token: %d %v", res.StatusCode, res.Header)
	}
	if res, _ := send(t, server, "GET /public HTTP/1.1"); res.StatusCode != http.StatusOK {
		t.Errorf("an open path: %d", res.StatusCode)
	}
}
