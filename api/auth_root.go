package api

// authRoot is GET /auth/: the URL of the users' endpoints.
func authRoot(c *call) (any, error) {
	return map[string]string{"users": c.settings.BaseURL + "/auth/users/"}, nil
}
