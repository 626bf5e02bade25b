package api

// tokenBlacklist is SimpleJWT's logout: POST /api/token/blacklist/.
func tokenBlacklist(c *call, in *refreshIn) (any, error) {
	token, err := c.refreshToken(in)
	if err != nil {
		return nil, err
	}
	if err := c.gate.Logout(c.ctx, token, c.client); err != nil {
		return nil, err
	}
	c.takeBack()
	return empty{}, nil
}
