package provider

import "errors"

// A Reason is why a sign-in failed.
type Reason string

// The reasons. Only Denied and Unavailable can happen without a fault: the user
// pressed "cancel", or the provider cannot be reached.
const (
	Denied      Reason = "denied"      // the user, or a policy of the provider, refused
	Unavailable Reason = "unavailable" // the provider does not respond, or not as the protocol says
	Expired     Reason = "expired"     // more than 10 minutes passed between Begin and Finish
	Invalid     Reason = "invalid"     // a check failed: state, issuer, code, ID token or user information
)

// Error returns the reason as a text.
func (r Reason) Error() string { return "signing in with the provider: " + string(r) }

// Error is the type of the errors of a Provider's methods. Its text is for the operator:
// it contains no secret, but it may contain text that the provider sent, so do not show
// it to users.
type Error struct {
	Reason Reason
	cause  error
}

// Error returns what failed.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.cause.Error() }

// Unwrap returns the reason, for errors.Is, and the cause.
func (e *Error) Unwrap() []error { return []error{e.Reason, e.cause} }

// failed returns an error with this reason, or the reason that the cause has.
func failed(r Reason, cause error) error {
	if e := new(Error); errors.As(cause, &e) {
		return e
	}
	return &Error{r, cause}
}

func invalid(text string) error { return &Error{Invalid, errors.New(text)} }
