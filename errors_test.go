package jotgate_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
)

// The texts for the operator, which a client never sees.
func TestErrorText(t *testing.T) {
	cause := errors.New("the disk is full")
	for _, c := range []struct {
		err  *jotgate.Error
		want string
	}{
		{jotgate.ErrNotFound, "Not found."},
		{jotgate.ErrTaken, "username: A user with that username already exists."},
		{jotgate.ErrTaken.Because(cause), "username: A user with that username already exists.: the disk is full"},
		{&jotgate.Error{Detail: "d", Fields: jotgate.ErrTaken.Fields}, "d"},
		{&jotgate.Error{}, ""},
		{jotgate.AsError(cause), jotgate.ErrUnavailable.Detail + ": the disk is full"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// An error equals itself, with or without a cause, and no other.
func TestErrorIs(t *testing.T) {
	all := []*jotgate.Error{
		jotgate.ErrNotAuthenticated, jotgate.ErrBadHeader, jotgate.ErrForbidden, jotgate.ErrNoUserClaim, jotgate.ErrUserNotFound,
		jotgate.ErrTokenInvalid, jotgate.ErrTokenExpired, jotgate.ErrTokenBlacklisted, jotgate.ErrNoAccountForToken,
		jotgate.ErrNotFound, jotgate.ErrTaken, jotgate.ErrUnavailable, jotgate.ErrBusy,
	}
	for i, a := range all {
		for j, b := range all {
			if got := errors.Is(a.Because(errors.New("x")), b); got != (i == j) {
				t.Errorf("%v is %v: %v", a, b, got)
			}
		}
		other := *a
		other.Status++
		if errors.Is(&other, a) {
			t.Errorf("%v under another status is the same", a)
		}
		other = *a
		other.Code += "x"
		if errors.Is(&other, a) {
			t.Errorf("%v under another code is the same", a)
		}
	}
	if errors.Is(jotgate.ErrTokenBlacklisted, jotgate.ErrTokenReused) || !errors.Is(jotgate.ErrTokenReused, jotgate.ErrTokenBlacklisted) {
		t.Error("a reused token is told as a blacklisted one, and not the other way round")
	}
	if jotgate.ErrNotFound.Is(errors.New("Not found.")) {
		t.Error("an error of another type is the same")
	}
}

// The response that each error sends: the challenge only with a 401,
// Retry-After in whole seconds, rounded up.
func TestErrorRespond(t *testing.T) {
	for name, c := range map[string]struct {
		err                         *jotgate.Error
		challenge, retry, www, body string
	}{
		"401":          {jotgate.ErrNoAccountForToken, "Bearer", "", "Bearer", `{"detail":"No active account found for the given token."}`},
		"401, hidden":  {jotgate.ErrNoAccountForToken, "", "", "", `{"detail":"No active account found for the given token."}`},
		"403":          {jotgate.ErrForbidden, "Bearer", "", "", `{"detail":"You do not have permission to perform this action."}`},
		"fields":       {jotgate.ErrTaken, "Bearer", "", "", `{"username":["A user with that username already exists."]}`},
		"unavailable":  {jotgate.ErrUnavailable, "", "5", "", `{"detail":"The service is temporarily unavailable, please try again later."}`},
		"busy":         {jotgate.ErrBusy, "", "2", "", `{"detail":"Too many concurrent logins, please try again later."}`},
		"part of one":  {&jotgate.Error{Status: 429, Detail: "<&>", RetryAfter: time.Millisecond}, "", "1", "", `{"detail":"<&>"}`},
		"two fields":   {&jotgate.Error{Status: 400, Fields: []jotgate.FieldError{{"a", []string{"x"}}, {"b", []string{"y", "z"}}}}, "", "", "", `{"a":["x"],"b":["y","z"]}`},
		"list":         {&jotgate.Error{Status: 400, List: []string{"x"}}, "", "", "", `["x"]`},
		"with a cause": {jotgate.ErrForbidden.Because(errors.New("secret")), "", "", "", `{"detail":"You do not have permission to perform this action."}`},
	} {
		w := httptest.NewRecorder()
		c.err.Respond(w, c.challenge)
		h := w.Header()
		_, has := h["Www-Authenticate"]
		if w.Code != c.err.Status || w.Body.String() != c.body || h.Get("Retry-After") != c.retry || h.Get("WWW-Authenticate") != c.www || has != (c.www != "") {
			t.Errorf("%s: %d %v %s", name, w.Code, h, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %s", name, h, w.Body)
		}
	}
}

// errors.Is distinguishes what a client can distinguish.
func TestErrorIsWhatAClientSees(t *testing.T) {
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
