package api

import "net/http"

// CORS is a middleware for a program's own handlers. It lets pages of
// Settings.CORSOrigins call them: it responds to preflights, which never have a
// token, and sets the CORS headers of all responses, also of those with status 401
// and 403. Wrap it around everything:
//
//	server := api.Server(addr, endpoints.CORS(mux))
//	r.Use(endpoints.CORS) // chi: before the routes that need a token
//
// A preflight is an OPTIONS request without a token, which a pattern such as
// "GET /notes" does not match, and Require rejects.
//
// Without CORSOrigins it returns next. The API's endpoints already include it;
// wrapping them again changes nothing.
func (a *API) CORS(next http.Handler) http.Handler {
	return a.shell.CORS().Wrap(next)
}
