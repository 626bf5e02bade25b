package api

import (
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/proxy"
)

// check is GET /auth/check, which a proxy asks before it lets a request
// through (nginx auth_request, Caddy forward_auth, Traefik, Envoy): 200 with
// the identity headers, empty where the token tells nothing, 401 or 403. ?role=, ?permission= and ?staff=true ask for
// more than a good token; each may be given several times, and all must hold.
// Any method is answered, because some proxies pass on the client's.
func check(a *API) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := a.gate.Authenticate(r)
		if err == nil {
			err = holds(user, r)
		}
		if err != nil {
			jotgate.AsError(err).Respond(w, a.gate.Challenge())
			return
		}
		proxy.Blank(w.Header())
		proxy.Identify(w.Header(), user)
		w.Header().Set("Content-Length", "0") // told, it goes out in one write
		w.WriteHeader(http.StatusOK)
	})
}

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
