package api

import (
	"errors"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
)

// authTokenOut is the response of DRF's ObtainAuthToken.
type authTokenOut struct {
	Token string `json:"token"`
}

// authTokenFields are Django REST framework's, whatever Settings.LoginField of
// the gate is.
func authTokenFields(_ *API, in *loginIn) []form.Field {
	return []form.Field{form.Text("username", &in.username), form.Text("password", &in.password)}
}

// authToken is POST /api-token-auth/. The token that it returns is an access token.
func authToken(c *call, in *loginIn) (any, error) {
	tokens, err := c.login(in)
	if errors.Is(err, jotgate.ErrNoActiveAccount) {
		return nil, form.NonField("Unable to log in with provided credentials.")
	}
	var step *jotgate.StepError
	if errors.As(err, &step) {
		return nil, noSecondStep(step)
	}
	return authTokenOut{tokens.Access}, err
}
