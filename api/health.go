package api

import (
	"errors"
	"net/http"

	"github.com/jotgate/jotgate"
)

// livez is GET /livez: the process responds.
func livez(a *API) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		serveText(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	})
}

// readyz is GET /readyz: the database also responds. The status is 503 while it
// does not.
func readyz(a *API) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		if _, err := a.gate.Store().Sessions().Find(r.Context(), "readyz"); err != nil && !errors.Is(err, jotgate.ErrNotFound) {
			jotgate.AsError(err).Respond(w, "")
			return
		}
		serveText(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	})
}
