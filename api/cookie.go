package api

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// refreshCookie is the cookie of Settings.RefreshCookie. Because of its prefix,
// browsers accept it over HTTPS only (RFC 6265bis section 4.1.3.1).
const refreshCookie = "__Secure-jotgate-refresh"

// cookiePaths are the paths of the endpoints that read the cookie. The cookie is
// set for both, so that a login at one is also valid at the other, and for no
// wider path, so that no other endpoint and no upstream receives it.
var cookiePaths = []string{"/api/token", "/auth/jwt"}

// sameSites are the values of Settings.RefreshCookieSameSite.
var sameSites = map[string]http.SameSite{"strict": http.SameSiteStrictMode, "lax": http.SameSiteLaxMode, "none": http.SameSiteNoneMode}

// handOut returns the refresh token, for the body of the response. With
// Settings.RefreshCookie it sets the cookie instead and returns "".
func (c *call) handOut(token string) string {
	if !c.settings.RefreshCookie || token == "" {
		return token
	}
	for _, path := range cookiePaths {
		c.setCookie(path, token, int(c.gate.Settings().RefreshTokenLifetime.Seconds()))
	}
	return ""
}

// takeBack deletes the cookie.
func (c *call) takeBack() {
	if c.settings.RefreshCookie {
		for _, path := range cookiePaths {
			c.setCookie(path, "", -1)
		}
	}
}

func (c *call) setCookie(path, value string, maxAge int) {
	mode := sameSites[c.settings.RefreshCookieSameSite]
	http.SetCookie(c.w, &http.Cookie{
		Name: refreshCookie, Value: value, Path: c.shell.Prefix(c.r) + path, MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: mode,
		// Browsers that block third-party cookies still accept this one, separate
		// for each site that a page is on.
		Partitioned: mode == http.SameSiteNoneMode,
	})
}

// checkCookie rejects origins whose pages cannot use the cookie: browsers send a
// cookie only within one site, scheme included, unless it has SameSite=None, and
// accept a Secure one over plain HTTP from loopback addresses only. The errors name
// the setting.
func (s *Settings) checkCookie() error {
	mode, known := sameSites[strings.ToLower(cmp.Or(s.RefreshCookieSameSite, "strict"))]
	switch {
	case !known:
		return fmt.Errorf("RefreshCookieSameSite: %q is not strict, lax or none", s.RefreshCookieSameSite)
	case !s.RefreshCookie && s.RefreshCookieSameSite != "" && mode != http.SameSiteStrictMode:
		return errors.New("RefreshCookieSameSite has no effect without RefreshCookie")
	case mode == http.SameSiteNoneMode && len(s.CORSOrigins) == 0:
		return errors.New("RefreshCookieSameSite none is for pages on other sites: list their origins in CORSOrigins")
	}
	s.RefreshCookieSameSite = strings.ToLower(cmp.Or(s.RefreshCookieSameSite, "strict"))
	if !s.RefreshCookie {
		return nil
	}
	site := ""
	addresses := s.CORSOrigins
	if s.BaseURL != "" {
		addresses = append([]string{s.BaseURL}, addresses...)
	}
	for i, address := range addresses {
		setting := "CORSOrigins"
		if i == 0 && s.BaseURL != "" {
			setting = "BaseURL"
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" {
			continue // reported by the check of that setting
		}
		if u.Scheme == "http" && !isLocal(u.Hostname()) {
			return fmt.Errorf("%s: %q: browsers drop the cookie of RefreshCookie over plain http; use https", setting, address)
		}
		switch {
		case mode == http.SameSiteNoneMode:
		case site == "":
			site = siteOf(u)
		case siteOf(u) != site:
			return fmt.Errorf("%s: %q is not on the same site as %q: browsers do not send the cookie of RefreshCookie across sites, unless RefreshCookieSameSite is none", setting, address, addresses[0])
		}
	}
	return nil
}

var errCrossSite = errors.New("a page on another site; browsers drop the cookie of RefreshCookie there")

// siteOf returns the schemeful site of a URL, as browsers compare it: the scheme
// and the registrable domain, or the host itself if it has none.
func siteOf(u *url.URL) string {
	host := u.Hostname()
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil && net.ParseIP(host) == nil {
		host = domain
	}
	return u.Scheme + "://" + host
}

// isLocal reports whether browsers trust plain HTTP from this host.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
