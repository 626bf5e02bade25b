package api

import (
	"fmt"
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/proxy"
)

// check is GET /auth/check, which a proxy requests before it forwards a request
// (nginx auth_request, Caddy forward_auth, Traefik, Envoy). It responds with 200
// and the identity headers, which are empty if the token does not have the value,
// or with 401 or 403. The parameters ?role=, ?permission= and ?staff=true require
// more than a valid token, and so do ?acr= (the level of authentication) and
// ?max_age= (seconds since the user authenticated), ?scope= and ?audience=; each but
// the last may be repeated, and all must hold.
// Any method is accepted, because some proxies send the client's method. A preflight
// of Settings.CORSOrigins is answered, so that a gateway can pass preflights here.
//
// A successful response has no body and is never displayed, so Cache-Control is
// the only header for browsers that is useful here. Go stores a map of up to eight
// headers in one piece.
func check(a *API, w http.ResponseWriter, r *http.Request) (*jotgate.User, error) {
	user, err := a.gate.Authenticate(r)
	if err == nil && r.URL.RawQuery != "" {
		err = a.holds(user, r)
	}
	if err != nil {
		return user, err
	}
	h := w.Header()
	h["Cache-Control"] = noStore
	proxy.IdentifyAll(h, user)
	w.WriteHeader(http.StatusOK)
	return user, nil
}

// noIdentity sets empty identity headers. The responses other than a success have
// them, in case a gateway takes one, such as that to a preflight, for a success.
func noIdentity(h http.Header) { proxy.IdentifyAll(h, new(jotgate.User)) }

// noStore is shared by all responses and must not be modified.
var noStore = []string{"no-store"}

// holds returns ErrForbidden unless the user meets every requirement of the query,
// and the error of RFC 9470 if only acr or max_age is not met. It also refuses an
// unknown parameter, which may be a misspelled requirement.
func (a *API) holds(user *jotgate.User, r *http.Request) error {
	wanted, err := queryOf(r)
	if err != nil {
		return jotgate.ErrForbidden.Because(err)
	}
	var auth []jotgate.Requirement
	var scopes []string
	audience := ""
	for name, values := range wanted {
		for _, value := range values {
			met := true
			switch {
			case name == "role" && value != "":
				met = user.HasRole(value)
			case name == "permission" && value != "":
				met = user.HasPermission(value)
			case name == "staff" && value == "true":
				met = user.IsStaff()
			case name == "scope" && jotgate.IsScope(value):
				scopes = append(scopes, value)
			case name == "audience" && value != "" && audience == "":
				audience = value
			default:
				demand, err := web.Demand(name, value)
				if err != nil {
					return jotgate.ErrForbidden.Because(err)
				}
				auth = append(auth, demand)
			}
			if !met {
				return jotgate.ErrForbidden.Because(fmt.Errorf("the user does not meet %s=%q", name, value))
			}
		}
	}
	if audience != "" {
		if err := user.CheckAudience(audience); err != nil {
			return err
		}
	}
	if err := user.CheckScope(scopes...); err != nil {
		return err
	}
	return a.gate.CheckAuth(user, auth...)
}
