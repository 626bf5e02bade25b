package web

import (
	"strings"
	"testing"
)

func TestDemand(t *testing.T) {
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"acr", "aal2", true},
		{"acr", strings.Repeat("a", 64), true},
		{"acr", strings.Repeat("a", 65), false},
		{"acr", "", false},
		{"acr", `a"`, false},
		{"acr", `a\`, false},
		{"acr", "a b", false},
		{"acr", "a\n", false},
		{"max_age", "1", true},
		{"max_age", "0", false},
		{"max_age", "-1", false},
		{"max_age", "2147483647", true},
		{"max_age", "2147483648", false},
		{"other", "aal2", false},
	} {
		if _, err := Demand(c.name, c.value); (err == nil) != c.ok {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		}
	}
}
