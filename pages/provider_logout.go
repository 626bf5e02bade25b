package pages

// Signing out by a provider and at a provider, and the addresses for providers.

import (
	"net/http"
	"net/url"
)

// providerLogout receives a logout token from a provider (OpenID Connect Back-Channel
// Logout 1.0 section 2.5). The request has no cookies: the token proves who sent it.
func providerLogout(v *visit) error {
	v.w.Header().Set("Cache-Control", "no-store") // section 2.8
	var token string
	if err := v.read(field{"logout_token", &token, false}); err != nil {
		return err
	}
	if _, err := v.p.gate.Logins().Providers().Logout(v.ctx, v.r.PathValue("provider"), token, v.client); err != nil {
		return err
	}
	v.done = true
	v.w.WriteHeader(http.StatusOK)
	return nil
}

// leaveProvider sends a browser that has signed out to the provider, to sign out there,
// too. The response is a page for the reason of toProvider.
func (v *visit) leaveProvider(address, name string) error {
	v.session, v.User = nil, nil
	return v.leave(address, name)
}

// callbackURL returns the address to which a provider sends the browser back. Each
// provider has its own, so that a code of one is never sent to another (RFC 9700
// section 4.4.2.2).
func (v *visit) callbackURL(id string) string {
	return v.origin() + v.Path + "provider/" + id + "/callback"
}

// origin returns the origin under which browsers reach the pages.
func (v *visit) origin() string {
	origin := url.URL{Scheme: "http", Host: v.r.Host}
	if v.r.TLS != nil {
		origin.Scheme = "https"
	}
	if u, err := url.Parse(v.p.options.BaseURL); err == nil && u.Host != "" {
		origin = url.URL{Scheme: u.Scheme, Host: u.Host}
	}
	return origin.String()
}
