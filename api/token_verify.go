package api

import "github.com/jotgate/jotgate/internal/form"

type verifyIn struct{ token string }

func verifyFields(_ *API, in *verifyIn) []form.Field {
	return []form.Field{form.Text("token", &in.token)}
}

// empty is the answer {}.
type empty struct{}

// tokenVerify is POST /api/token/verify/ and /auth/jwt/verify/.
func tokenVerify(c *call, in *verifyIn) (any, error) {
	return empty{}, c.gate.VerifyToken(c.ctx, in.token)
}
