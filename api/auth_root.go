package api

// authRoot is GET /auth/: the URL of the users' endpoints.
func authRoot(c *call) (any, error) {
	return map[string]string{"users": c.base() + "/auth/users/"}, nil
}

// base returns what precedes the path of an endpoint in a link: the public URL
// without its last slash, or only a path if there is none.
func (c *call) base() string {
	if c.settings.BaseURL != "" {
		return c.settings.BaseURL
	}
	return c.shell.Prefix(c.r)
}
