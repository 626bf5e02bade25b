package api

import (
	"errors"
	"net/http"

	"github.com/jotgate/jotgate"
)

// logout is POST /auth/logout/: it ends the session of the access token. A
// token without a session, such as Django's, cannot be logged out here.
func logout(c *call) (any, error) {
	if c.user.Session == "" {
		return nil, &jotgate.Error{Status: http.StatusBadRequest, Detail: "This token has no session; send its refresh token to /api/token/blacklist/."}
	}
	err := c.gate.Sessions().End(c.ctx, c.account.ID, c.user.Session, c.client)
	if err != nil && !errors.Is(err, jotgate.ErrNotFound) {
		return nil, err
	}
	c.takeBack()
	return bare(http.StatusNoContent), nil
}
