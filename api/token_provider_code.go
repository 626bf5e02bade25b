// Logins with the code of an application: POST /api/token/provider/code/.

package api

import (
	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

func hasProviderApps(a *API) bool { return providerApps(a.gate.Settings()) }

// providerApps reports whether applications can log users in with providers.
func providerApps(s jotgate.Settings) bool { return len(s.Providers) > 0 && len(s.AppRedirects) > 0 }

type providerCodeIn struct{ code, verifier, redirect string }

func providerCodeFields(_ *API, in *providerCodeIn) []form.Field {
	code := form.Text("code", &in.code)
	code.MaxLength = 8192
	return []form.Field{code, form.Text("code_verifier", &in.verifier), form.Text("redirect_uri", &in.redirect)}
}

// tokenProviderCode logs in with the code that a browser has brought back from a
// provider, or reports the next step.
func tokenProviderCode(c *call, in *providerCodeIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	l, err := c.gate.Logins().Providers().Exchange(c.ctx, in.code, in.verifier, in.redirect, c.client)
	if err != nil {
		return nil, err
	}
	return c.loggedIn(c.gate.Logins().Begin(c.ctx, l.Proof(), c.client))
}
