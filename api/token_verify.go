// POST /api/token/verify/ and /auth/jwt/verify/.

package api

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

type verifyIn struct{ token string }

func verifyFields(_ *API, in *verifyIn) []form.Field {
	return []form.Field{form.Text("token", &in.token)}
}

// empty is the response {}.
type empty struct{}

// tokenVerify is POST /api/token/verify/ and /auth/jwt/verify/. For a revoked token
// it responds with a non-field error, as SimpleJWT does here only.
func tokenVerify(c *call, in *verifyIn) (any, error) {
	err := c.gate.Sessions().VerifyToken(c.ctx, in.token)
	if errors.Is(err, jotgate.ErrTokenBlacklisted) {
		return nil, form.NonField(jotgate.ErrTokenBlacklisted.Detail).Because(err)
	}
	return empty{}, err
}
