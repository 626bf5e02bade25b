package api

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/jotgate/jotgate"
)

const codeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

// code returns a code for an application, of alice at the issuer.
func (s *site) code(t *testing.T, i *issuer) string {
	t.Helper()
	digest := sha256.Sum256([]byte(codeVerifier))
	use := jotgate.ProviderFlow{App: &jotgate.ProviderApp{RedirectURI: appOrigin + "/in", Challenge: base64.RawURLEncoding.EncodeToString(digest[:])}}
	ps := s.gate.Logins().Providers()
	address, _, value, err := ps.Begin(t.Context(), "example", "https://example.com/callback", use, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	i.idToken = i.token(t, map[string]any{"aud": "web.example", "nonce": u.Query().Get("nonce")})
	l, err := ps.Finish(t.Context(), "example", value, url.Values{"state": {u.Query().Get("state")}, "code": {"1"}}, jotgate.Client{})
	if err != nil {
		t.Fatal(err)
	}
	if address, err = ps.AppCode(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if u, err = url.Parse(address); err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("code")
}

func (s *site) sendCode(code, verifier, redirect string) answer {
	return s.ask("POST", "/api/token/provider/code/", object("code", code, "code_verifier", verifier, "redirect_uri", redirect))
}

// The code of an application logs in once; a second factor is still due.
func TestTokenProviderCode(t *testing.T) {
	s, i := nativeSite(t, nil)
	code := s.code(t, i)
	want(t, "no code", s.sendCode("", codeVerifier, appOrigin+"/in"), 400, "code")
	want(t, "another verifier", s.sendCode(code, codeVerifier+"x", appOrigin+"/in"), 403, "provider_invalid")
	want(t, "another redirect_uri", s.sendCode(code, codeVerifier, appOrigin+"/"), 403, "provider_invalid")
	want(t, "right", s.sendCode(code, codeVerifier, appOrigin+"/in"), 200, `"username":"alice"`)
	want(t, "used", s.sendCode(code, codeVerifier, appOrigin+"/in"), 403, "provider_expired")
	app, _ := s.enrol(t, s.login("alice").access)
	a := s.sendCode(s.code(t, i), codeVerifier, appOrigin+"/in")
	want(t, "with a second factor", a, 401, `"code":"mfa_required"`)
	want(t, "second factor", s.ask("POST", "/api/token/mfa/", object("pending", a.member("pending"), "code", app.code(t))), 200, `"amr":["fed","otp","mfa"]`)
	want(t, "a code as pending login", s.ask("POST", "/api/token/mfa/", object("pending", s.code(t, i), "code", "123456")), 401, "login_not_valid")
	want(t, "a pending login as code", s.sendCode(a.member("pending"), codeVerifier, appOrigin+"/in"), 403, "provider_expired")
}

// Without AppRedirects there is no such endpoint.
func TestTokenProviderCodeOff(t *testing.T) {
	s := newSite(t, change{})
	want(t, "endpoint", s.sendCode("x", "y", "z"), 404, "")
}
