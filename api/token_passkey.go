// Logins with a passkey: POST /api/token/passkey/options/ and /api/token/passkey/.

package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
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
