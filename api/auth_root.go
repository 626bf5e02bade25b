package api

// authRoot is GET /auth/: where users are.
func authRoot(c *call) (any, error) {
	return map[string]string{"users": c.settings.BaseURL + "/auth/users/"}, nil
}
