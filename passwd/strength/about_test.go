package strength_test

import (
	"slices"
	"testing"

	"github.com/jotgate/jotgate/passwd/strength"
)

// Django's attributes, in its order, under the names that the user model gives
// them; an address that people log in by stands there once.
func TestAbout(t *testing.T) {
	first, last := strength.Attribute{Label: "first name", Value: "Al"}, strength.Attribute{Label: "last name", Value: "Ice"}
	email := strength.Attribute{Label: "email address", Value: "a@b.example"}
	for login, want := range map[string][]strength.Attribute{
		"username":   {{Label: "username", Value: "alice"}, first, last, email},
		"login_name": {{Label: "login name", Value: "alice"}, first, last, email},
		"email":      {first, last, email},
	} {
		if got := strength.About(login, "alice", "Al", "Ice", email.Value); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", login, got, want)
		}
	}
}
