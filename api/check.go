package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/proxy"
)

// check is GET /auth/check, which a proxy asks before it lets a request
// through (nginx auth_request, Caddy forward_auth, Traefik, Envoy): 200 with
// the identity headers, empty where the token tells nothing, 401 or 403. ?role=,
// ?permission= and ?staff=true ask for more than a good token; each may be given
// several times, and all must hold.
// Any method is answered, because some proxies pass on the client's.
//
// What the gateway lets through has no body and is shown to nobody, so of the
// headers for browsers only Cache-Control is of use. Up to eight headers, Go
// keeps a header's map in one piece.
func check(a *API, w http.ResponseWriter, r *http.Request) error {
	user, err := a.gate.Authenticate(r)
	if err == nil && r.URL.RawQuery != "" {
		err = holds(user, r)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	proxy.IdentifyAll(h, user)
	w.WriteHeader(http.StatusOK)
	return nil
}

// noStore is shared by all answers; nobody adds to it.
var noStore = []string{"no-store"}

// holds reports ErrForbidden unless the user is all that the query asks for.
// A parameter that is not known here might be a requirement that is misspelt.
func holds(user *jotgate.User, r *http.Request) error {
	wanted, err := queryOf(r)
	if err != nil {
		return jotgate.ErrForbidden.Because(err)
	}
	for name, values := range wanted {
		for _, value := range values {
			ok := false
			switch name {
			case "role":
				ok = user.HasRole(value)
			case "permission":
				ok = value != "" && user.HasPermission(value)
			case "staff":
				ok = value == "true" && user.IsStaff()
			}
			if !ok {
				return jotgate.ErrForbidden
			}
		}
	}
	return nil
}
