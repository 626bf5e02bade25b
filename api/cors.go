package api

import (
	"net/http"

	"github.com/jotgate/jotgate/internal/web"
)

// CORS is a middleware for a program's own handlers, with the origins of
// Settings.CORSOrigins: it answers preflights, which never carry a token, and lets
// the pages read responses, 401 and 403 included. Put it outside of Require:
//
//	mux.Handle("/notes", endpoints.CORS(gate.Require(notes)))
//	r.Use(endpoints.CORS) // chi: before the routes that need a token
//
// Without CORSOrigins it returns next. The API's own endpoints have it already;
// around them, it changes nothing.
func (a *API) CORS(next http.Handler) http.Handler {
	return web.CORS(a.settings.CORSOrigins, a.settings.RefreshCookie)(next)
}
