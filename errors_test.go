package jotgate_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jotgate/jotgate"
)

// errors.Is tells apart what a client can tell apart.
func TestErrorIs(t *testing.T) {
	field := func(name, message string) *jotgate.Error {
		return &jotgate.Error{Status: 400, Fields: []jotgate.FieldError{{Field: name, Messages: []string{message}}}}
	}
	list := &jotgate.Error{Status: 400, List: []string{"Unable to create account."}}
	taken := jotgate.ErrTaken.Fields[0].Messages[0]
	for _, c := range []struct {
		name        string
		err, target error
		want        bool
	}{
		{"itself", jotgate.ErrTaken, jotgate.ErrTaken, true},
		{"with a cause", jotgate.ErrTaken.Because(errors.New("x")), jotgate.ErrTaken, true},
		{"wrapped", fmt.Errorf("sign up: %w", jotgate.ErrTaken), jotgate.ErrTaken, true},
		{"the same texts", field("username", taken), jotgate.ErrTaken, true},
		{"another field", field("email", taken), jotgate.ErrTaken, false},
		{"another message", field("username", "Too long."), jotgate.ErrTaken, false},
		{"another error of one field", jotgate.ErrWrongPassword, jotgate.ErrTaken, false},
		{"a list", list, list.Because(errors.New("x")), true},
		{"another list", list, &jotgate.Error{Status: 400, List: []string{"No."}}, false},
	} {
		if got := errors.Is(c.err, c.target); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
