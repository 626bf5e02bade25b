package api

import (
	"maps"
	"strings"
	"testing"
)

// Rates accepts the former names of scopes and rejects every other unknown name.
func TestRateScopes(t *testing.T) {
	for _, c := range []struct {
		name        string
		given, want map[string]string
		err         string
	}{
		{"none", nil, map[string]string{}, ""},
		{"today's name", map[string]string{"email": "3/h"}, map[string]string{"email": "3/h"}, ""},
		{"former name", map[string]string{"letters": "3/h", "login": ""}, map[string]string{"email": "3/h", "login": ""}, ""},
		{"former name, no limit", map[string]string{"letters": ""}, map[string]string{"email": ""}, ""},
		{"both", map[string]string{"letters": "3/h", "email": "3/h"}, nil, "given twice"},
		{"unknown", map[string]string{"letter": "3/h"}, nil, `unknown scope "letter"; the scopes are anon, user, login, refresh, register, email`},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := maps.Clone(c.given)
			s := Settings{Rates: c.given}
			err := s.fill()
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v, want %q", err, c.err)
				}
				return
			}
			if err != nil || !maps.Equal(s.Rates, c.want) {
				t.Errorf("%v, %v; want %v", s.Rates, err, c.want)
			}
			if !maps.Equal(c.given, before) {
				t.Errorf("the caller's map became %v", c.given)
			}
			want, given := c.want["email"]
			if !given {
				want = defaultRates["email"]
			}
			if got := s.shell(nil).Rates["email"]; got != want {
				t.Errorf("the rate is %q, want %q", got, want)
			}
		})
	}
}
