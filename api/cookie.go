package api

import (
	"net/http"
	"strings"
)

// refreshCookie is the cookie of Settings.RefreshCookie. The prefix makes
// browsers take it from HTTPS only (RFC 6265bis section 4.1.3.1).
const refreshCookie = "__Secure-jotgate-refresh"

// handOut returns the refresh token for the body or, where the settings say
// so, puts it into the cookie and returns nothing.
func (c *call) handOut(token string) string {
	if !c.settings.RefreshCookie || token == "" {
		return token
	}
	c.setCookie(c.cookiePath(), token, int(c.gate.Settings().RefreshTokenLifetime.Seconds()))
	return ""
}

// takeBack removes the cookie.
func (c *call) takeBack() {
	if c.settings.RefreshCookie {
		for _, path := range []string{"/api/token", "/auth/jwt"} {
			c.setCookie(path, "", -1)
		}
	}
}

// cookiePath covers the refresh view beside the view that was asked, and its
// siblings, with and without the trailing slash.
func (c *call) cookiePath() string {
	if strings.HasPrefix(c.r.URL.Path, "/auth/jwt/") {
		return "/auth/jwt"
	}
	return "/api/token"
}

func (c *call) setCookie(path, value string, maxAge int) {
	http.SetCookie(c.w, &http.Cookie{
		Name: refreshCookie, Value: value, Path: path, MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}
