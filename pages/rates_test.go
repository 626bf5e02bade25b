package pages

import (
	"slices"
	"testing"
)

// As in the API, a rate limits every form that changes something.
func TestFormsHaveARate(t *testing.T) {
	free := []string{"logout", "token", "passkey/options", "passkey/signals", "provider/{provider}/logout"} // each ends one session, or writes nothing
	for _, r := range routes {
		if unlimited := slices.Contains(free, r.path); r.act != nil && (r.scope == "") != unlimited {
			t.Errorf("%s has the rate %q", r.path, r.scope)
		}
	}
}
