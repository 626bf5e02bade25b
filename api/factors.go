// The caller's second factors: /auth/factors/.

package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/record"
)

// factorList is GET /auth/factors/.
func factorList(c *call) (any, error) {
	list, err := c.gate.Factors().List(c.ctx, c.account.ID)
	return append([]jotgate.FactorInfo{}, list...), err
}

// recent returns an error unless the caller has authenticated recently, at the
// highest level that the account can reach.
func (c *call) recent() error { return c.gate.Factors().RequireRecent(c.ctx, c.user, c.account) }

// protect is recent if the caller has a second factor.
func (c *call) protect() error { return c.gate.Factors().Protect(c.ctx, c.user, c.account) }

// totpBegin is POST /auth/factors/totp/: it makes a secret for an authenticator
// app.
func totpBegin(c *call) (any, error) {
	if err := c.recent(); err != nil {
		return nil, err
	}
	return c.gate.Factors().BeginTOTP(c.ctx, c.account)
}

type totpConfirmIn struct{ token, code string }

func totpConfirmFields(_ *API, in *totpConfirmIn) []form.Field {
	return []form.Field{form.Text("token", &in.token), form.Text("code", &in.code)}
}

// codesOut are new recovery codes, which are shown once.
type codesOut struct {
	Codes []string `json:"recovery_codes"`
}

// totpConfirm is POST /auth/factors/totp/confirm/: it sets up the app with its
// first code.
func totpConfirm(c *call, in *totpConfirmIn) (any, error) {
	if err := c.recent(); err != nil {
		return nil, err
	}
	codes, err := c.gate.Factors().AddTOTP(c.ctx, c.account, in.token, in.code, c.client)
	return codesOut{append([]string{}, codes...)}, err
}

// recoveryCodes is POST /auth/factors/recovery-codes/: it replaces the codes.
func recoveryCodes(c *call) (any, error) {
	if err := c.recent(); err != nil {
		return nil, err
	}
	codes, err := c.gate.Factors().NewRecoveryCodes(c.ctx, c.account, c.client)
	return codesOut{codes}, err
}

// factorRemove is DELETE /auth/factors/{id}/.
func factorRemove(c *call) (any, error) {
	id, err := strconv.ParseInt(c.r.PathValue("id"), 10, 64)
	if err != nil {
		return nil, jotgate.ErrNotFound
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	return bare(http.StatusNoContent), c.gate.Factors().Remove(c.ctx, c.account, id, c.client)
}

type resetIn struct{ reason string }

func resetFields(_ *API, in *resetIn) []form.Field {
	return []form.Field{form.Text("reason", &in.reason)}
}

// resetDelay is how long after the request of a member of staff a user's second
// factors no longer count.
const resetDelay = 24 * time.Hour

// factorsReset is POST /auth/users/{id}/reset_factors/, for staff.
func factorsReset(c *call, in *resetIn) (any, error) {
	if staff, err := c.isStaff(); err != nil {
		return nil, err
	} else if !staff || record.UserID(c.r.PathValue("id")) == c.account.ID {
		return nil, jotgate.ErrForbidden
	}
	account, err := c.managed()
	if err != nil {
		return nil, err
	}
	if err := c.recent(); err != nil {
		return nil, err
	}
	return nil, c.gate.Factors().RequestReset(c.ctx, account, c.account.ID, in.reason, resetDelay, c.client)
}
