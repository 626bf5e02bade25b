// Logins with a passkey: POST /api/token/passkey/options/, /api/token/passkey/ and,
// for a login that must set one up, /api/token/enrol/passkey/.

package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/useragent"
)

func hasPasskeys(a *API) bool       { return a.gate.Settings().RPID != "" }
func hasRelatedOrigins(a *API) bool { return a.gate.Factors().Passkeys().RelatedOrigins() != nil }

type passkeyOptionsIn struct{ pending string }

// passkeyOptionsFields has the pending login that needs a second factor. Without
// it the passkey begins a login, whose user it also names.
func passkeyOptionsFields(_ *API, in *passkeyOptionsIn) []form.Field {
	pending := form.Text("pending", &in.pending).OrNot(new(bool))
	pending.Blank = true
	return []form.Field{pending}
}

// tokenPasskeyOptions begins a login with a passkey.
func tokenPasskeyOptions(c *call, in *passkeyOptionsIn) (any, error) {
	return c.gate.Factors().Passkeys().BeginLogin(c.ctx, in.pending, c.client)
}

type passkeyIn struct {
	pending    string
	credential []byte
}

func passkeyFields(_ *API, in *passkeyIn) []form.Field {
	return []form.Field{form.Text("pending", &in.pending), form.Object("credential", &in.credential)}
}

// tokenPasskey ends a login with a passkey, or reports its next step.
func tokenPasskey(c *call, in *passkeyIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Continue(c.ctx, in.pending, jotgate.Passkey(in.credential), c.client)
	return c.loggedIn(state, err)
}

// tokenEnrolPasskeyOptions is POST /api/token/enrol/passkey/options/: it begins to
// register a passkey in a login that must set up a second factor.
func tokenEnrolPasskeyOptions(c *call, in *enrolIn) (any, error) {
	return c.gate.Logins().BeginPasskeyEnrolment(c.ctx, in.pending, c.client)
}

// tokenEnrolPasskey is POST /api/token/enrol/passkey/: it registers the passkey and
// completes the login.
func tokenEnrolPasskey(c *call, in *jotgate.NewPasskey) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	in.Device = useragent.Describe(c.client.UserAgent)
	state, err := c.gate.Logins().Continue(c.ctx, in.Pending, jotgate.EnrolPasskey(*in), c.client)
	return c.loggedIn(state, err)
}

// relatedOrigins is GET /.well-known/webauthn: the origins outside the RP ID at
// which its passkeys can be used (WebAuthn Level 3, section 5.11). Browsers
// fetch it from the RP ID's host.
func relatedOrigins(a *API) http.Handler {
	body := a.gate.Factors().Passkeys().RelatedOrigins()
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		serveText(w, r, "application/json", body)
	})
}
