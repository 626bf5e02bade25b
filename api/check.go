package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"

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
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		for _, value := range wanted[name] {
			var err error
			switch {
			case name == "role" && value != "":
				err = unless(user.HasRole(value), "the user does not have the role %q", value)
			case name == "permission" && value != "":
				err = unless(user.HasPermission(value), "the user does not have the permission %q", value)
			case name == "staff" && value == "true":
				err = unless(user.IsStaff(), "the user is not staff")
			case name == "scope" && jotgate.IsScope(value):
				scopes = append(scopes, value)
			case name == "audience" && value != "" && audience == "":
				audience = value
			default:
				var demand jotgate.Requirement
				demand, err = web.Demand(name, value)
				auth = append(auth, demand)
			}
			if err != nil {
				return jotgate.ErrForbidden.Because(err)
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

// unless returns the reason of a refusal, or nil if the requirement is met.
func unless(met bool, reason string, args ...any) error {
	if met {
		return nil
	}
	return fmt.Errorf(reason, args...)
}
