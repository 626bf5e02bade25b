package form

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestScopes(t *testing.T) {
	for text, want := range map[string][]string{
		"orders:read":                     {"orders:read"},
		"orders:read|introspection":       {"orders:read", "introspection"},
		"a|b|a":                           {"a", "b"},
		strings.Repeat("a", 64):           {strings.Repeat("a", 64)},
		numbered(50):                      strings.Split(numbered(50), "|"),
		numbered(50) + "|" + numbered(50): strings.Split(numbered(50), "|"),
	} {
		if got, err := Scopes(strings.Split(text, "|")); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                      "is not a scope",
		"a|b c":                 "is not a scope",
		strings.Repeat("a", 65): "is not a scope",
		"a|b\tc":                "is not a scope",
		"a\nb":                  "is not a scope",
		"a\u00a0b":              "is not a scope",
		`a"b`:                   "is not a scope",
		numbered(51):            "no more than 50 scopes",
	} {
		if got, err := Scopes(strings.Split(text, "|")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	if got, err := Scopes(nil); err == nil || !strings.Contains(err.Error(), "at least one scope") {
		t.Errorf("no scopes: %v, %v", got, err)
	}
}

// numbered returns n different scopes, separated by "|".
func numbered(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint("scope:", i))
	}
	return strings.Join(list, "|")
}
