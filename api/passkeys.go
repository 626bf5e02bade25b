// The caller's passkeys: /auth/factors/passkeys/.

package api

import (
	"strconv"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/useragent"
)

// passkeysOut is the list of passkeys.
type passkeysOut struct {
	Passkeys []jotgate.PasskeyInfo `json:"passkeys"`
	Signals  passkey.Signals       `json:"signals"`
}

// passkeyList is GET /auth/factors/passkeys/.
func passkeyList(c *call) (any, error) {
	list, signals, err := c.gate.Factors().Passkeys().List(c.ctx, c.account)
	return passkeysOut{list, signals}, err
}

// passkeyUseFields has what the passkey is for: by default, for both.
func passkeyUseFields(_ *API, in *jotgate.PasskeyUse) []form.Field {
	*in = jotgate.PasskeyUse{Passwordless: true, SecondFactor: true}
	return []form.Field{form.Bool("passwordless", &in.Passwordless), form.Bool("second_factor", &in.SecondFactor)}
}

// passkeyBegin is POST /auth/factors/passkeys/options/.
func passkeyBegin(c *call, in *jotgate.PasskeyUse) (any, error) {
	if err := c.recent(); err != nil {
		return nil, err
	}
	return c.gate.Factors().Passkeys().Begin(c.ctx, c.account, *in)
}

func newPasskeyFields(_ *API, in *jotgate.NewPasskey) []form.Field {
	name := form.Text("name", &in.Name).OrNot(new(bool))
	name.Blank = true
	return []form.Field{form.Text("pending", &in.Pending), form.Object("credential", &in.Credential), name}
}

// addedPasskey is a new passkey, and new recovery codes, which are shown once.
type addedPasskey struct {
	jotgate.PasskeyInfo
	Codes []string `json:"recovery_codes,omitempty"`
}

// passkeyAdd is POST /auth/factors/passkeys/.
func passkeyAdd(c *call, in *jotgate.NewPasskey) (any, error) {
	if err := c.recent(); err != nil {
		return nil, err
	}
	in.Device = useragent.Describe(c.client.UserAgent)
	info, codes, err := c.gate.Factors().Passkeys().Add(c.ctx, c.account, *in, c.client)
	return addedPasskey{info, codes}, err
}

type passkeyNameIn struct{ name string }

func passkeyNameFields(_ *API, in *passkeyNameIn) []form.Field {
	return []form.Field{form.Text("name", &in.name)}
}

// passkeyRename is PATCH /auth/factors/passkeys/{id}/.
func passkeyRename(c *call, in *passkeyNameIn) (any, error) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, jotgate.ErrNotFound
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	return c.gate.Factors().Passkeys().Rename(c.ctx, c.account, id, in.name, c.client)
}

// againOptions is POST /auth/again/passkey/options/.
func againOptions(c *call) (any, error) {
	return c.gate.Factors().Passkeys().BeginAgain(c.ctx, c.account)
}

// againPasskey is POST /auth/again/passkey/: the caller authenticates again with a
// passkey, and a new session replaces the caller's.
func againPasskey(c *call, in *passkeyIn) (any, error) {
	if err := c.sameSite(); err != nil {
		return nil, err
	}
	state, err := c.gate.Logins().Reauthenticate(c.ctx, c.user, jotgate.PasskeyAgain(in.pending, in.credential), c.client)
	return c.loggedIn(state, err)
}
