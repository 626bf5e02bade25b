package proxy

// Step-up: what Settings.StepUp demands of a request.

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/jotgate/jotgate"
)

// demands are those of Settings.StepUp, in the order of their prefixes.
type demands struct {
	prefixes []string
	by       map[string][]jotgate.Requirement
}

func newDemands(by map[string][]jotgate.Requirement) (*demands, error) {
	d := &demands{slices.Sorted(maps.Keys(by)), by}
	if err := checkPrefixes(d.prefixes); err != nil {
		return nil, err
	}
	for _, prefix := range d.prefixes {
		if len(by[prefix]) == 0 {
			return nil, fmt.Errorf("the prefix %q demands nothing", prefix)
		}
	}
	return d, nil
}

// of returns what is demanded of a request: all that any interpretation of its path
// may demand.
func (d *demands) of(r *http.Request) (all []jotgate.Requirement) {
	for i, prefix := range d.prefixes {
		if Covers(d.prefixes[i:i+1], r) {
			all = append(all, d.by[prefix]...)
		}
	}
	return all
}

// tokens returns the handler of protected paths for requests with a token.
func (d *demands) tokens(guard *jotgate.Guard, open http.Handler) http.Handler {
	plain := guard.RequireUser(func(w http.ResponseWriter, r *http.Request, user *jotgate.User) {
		open.ServeHTTP(w, withUser(r, user))
	})
	checked := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, _ := jotgate.UserFrom(r.Context())
		open.ServeHTTP(w, withUser(r, user))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if demanded := d.of(r); len(demanded) > 0 {
			guard.RequireAuth(demanded...)(checked).ServeHTTP(w, r)
			return
		}
		plain.ServeHTTP(w, r)
	})
}

func withUser(r *http.Request, user *jotgate.User) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), userKey{}, user))
}
