package api

import "net/http"

// CORS is a middleware for a program's own handlers, with the origins of
// Settings.CORSOrigins: it responds to preflights, which never have a token, and
// lets the pages read responses, 401 and 403 included. Wrap it around Require:
//
//	mux.Handle("/notes", endpoints.CORS(gate.Require(notes)))
//	r.Use(endpoints.CORS) // chi: before the routes that need a token
//
// Without CORSOrigins it returns next. The API's endpoints already include it;
// wrapping them again changes nothing.
func (a *API) CORS(next http.Handler) http.Handler {
	return a.shell.CORS().Wrap(next)
}
