package form

import (
	"fmt"
	"slices"

	"github.com/jotgate/jotgate"
)

// Scopes returns the scopes of the list, each once. The error is a *jotgate.Error for the
// field "scopes".
func Scopes(list []string) (scopes []string, err error) {
	for _, scope := range list {
		if !jotgate.IsScope(scope) {
			return nil, FieldError("scopes", fmt.Sprintf("%.64q is not a scope, such as orders:read.", scope))
		}
		if !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	switch {
	case len(scopes) == 0:
		return nil, FieldError("scopes", "Name at least one scope.")
	case len(scopes) > 50:
		return nil, FieldError("scopes", "Ensure this field has no more than 50 scopes.")
	}
	return scopes, nil
}
