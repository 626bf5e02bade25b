package jotgate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/throttle"
)

// Error is the error of every request that jotgate rejects: the HTTP status, and the
// texts of Django REST framework and SimpleJWT. The client gets Status, Detail, Code,
// Messages, Fields and List; Error and Unwrap also return the cause, for the operator.
// Compare errors with errors.Is and the Err… values.
type Error struct {
	Status     int            // HTTP status
	Detail     string         // one sentence for the client
	Code       string         // machine-readable; empty if DRF sends none
	Messages   []TokenMessage // per token class, if SimpleJWT lists them
	Fields     []FieldError   // of a form; when set, they are the whole body
	List       []string       // if set, the whole body is this JSON list, as in djoser
	RetryAfter time.Duration  // for 429 and 503; sent in whole seconds, rounded up
	Flows      []string       // of a login that needs another step: the methods that complete it
	Pending    string         // of such a login: the token to send with the next step
	Challenge  string         // added to WWW-Authenticate, such as the error of RFC 9470

	// Reason says why a node is not ready, in a text that may be public: without names
	// of hosts, users or files. Only /readyz sends it.
	Reason string

	cause error
}

// TokenMessage is the reason why a token was rejected, as SimpleJWT reports it for each
// class of token.
type TokenMessage struct {
	TokenClass string `json:"token_class"`
	TokenType  string `json:"token_type"`
	Message    string `json:"message"`
}

// FieldError is the errors of one field of a request's body.
type FieldError struct {
	Field    string
	Messages []string
}

// The errors, grouped by their source. Compare with errors.Is: the returned
// value may have a cause and a different RetryAfter.
var (
	// Login.
	ErrNoActiveAccount = &Error{Status: 401, Detail: "No active account found with the given credentials"}
	ErrCodeNotValid    = &Error{Status: 401, Detail: "The code is not valid.", Code: "code_not_valid"}
	ErrPasskeyNotValid = &Error{Status: 401, Detail: "The passkey was not accepted.", Code: "passkey_not_valid"}
	ErrPasskeyUnknown  = &Error{Status: 401, Detail: "This passkey is not known here. It may have been removed.", Code: "passkey_unknown"}
	ErrLoginNotValid   = &Error{Status: 401, Detail: "The login has expired or was completed. Please log in again.", Code: "login_not_valid"}

	// Logins with a provider. After ErrNotConnected, Providers.Link says what to do.
	ErrNotConnected    = &Error{Status: 401, Code: "not_connected", Detail: "This account of the provider is not connected to an account here."}
	ErrLastWay         = &Error{Status: 400, Code: "last_way", Detail: "This is the only way to sign in to your account. Set a password or add another way first."}
	errLogoutToken     = &Error{Status: 400, Code: "invalid_request", Detail: "Token is invalid"}
	errProviderDenied  = &Error{Status: 403, Code: "provider_denied", Detail: "The provider did not sign you in."}
	errProviderExpired = &Error{Status: 403, Code: "provider_expired", Detail: "Signing in with the provider took too long, or was completed already. Please begin again."}
	errProviderInvalid = &Error{Status: 403, Code: "provider_invalid", Detail: "The response of the provider could not be verified."}

	// Authentication of a request.
	ErrNotAuthenticated = &Error{Status: 401, Detail: "Authentication credentials were not provided."}
	ErrBadHeader        = &Error{Status: 401, Detail: "Authorization header must contain two space-delimited values", Code: "bad_authorization_header"}
	ErrNoUserClaim      = &Error{Status: 401, Detail: "Token contained no recognizable user identification", Code: "token_not_valid"}
	ErrUserNotFound     = &Error{Status: 401, Detail: "User not found", Code: "user_not_found"}
	ErrUserInactive     = &Error{Status: 401, Detail: "User is inactive", Code: "user_inactive"}
	ErrPasswordChanged  = &Error{Status: 401, Detail: "The user's password has been changed.", Code: "password_changed"}
	ErrForbidden        = &Error{Status: 403, Detail: "You do not have permission to perform this action."}

	// ErrInsufficientScope rejects a limited token (RFC 6750 section 3.1).
	ErrInsufficientScope = &Error{Status: 403, Detail: "The token does not have the required scope.", Code: "insufficient_scope"}

	// Tokens in a request's body; the detail of ErrTokenInvalid may be another of
	// SimpleJWT's texts.
	ErrTokenInvalid      = &Error{Status: 401, Detail: "Token is invalid", Code: "token_not_valid"}
	ErrTokenExpired      = &Error{Status: 401, Detail: "Token is expired", Code: "token_not_valid"}
	ErrTokenBlacklisted  = &Error{Status: 401, Detail: "Token is blacklisted", Code: "token_not_valid"}
	ErrTokenReused       = &Error{Status: 401, Detail: "Token is blacklisted", Code: "token_not_valid", cause: errors.New("a refresh token was used twice; its session has been ended")}
	ErrNoAccountForToken = &Error{Status: 401, Detail: "No active account found for the given token."}

	// The store.
	ErrCursor      = &Error{Status: 400, Code: "cursor_not_valid", Detail: "The cursor is not one of this database. Begin again without a cursor."}
	ErrNotFound    = &Error{Status: 404, Detail: "Not found."}
	ErrTaken       = &Error{Status: 400, Fields: []FieldError{{"username", []string{"A user with that username already exists."}}}}
	ErrConnected   = &Error{Status: 409, Code: "connected_elsewhere", Detail: "This account of the provider is connected to another account here."}
	ErrRejected    = &Error{Status: 400, List: []string{"The database does not accept these values."}}
	ErrUnavailable = &Error{Status: 503, Detail: "The service is temporarily unavailable, please try again later.", RetryAfter: 5 * time.Second}

	// Accounts are created by command or in Django only, or cannot be created.
	ErrSignupClosed = &Error{Status: 403, Code: "signup_closed", Detail: "Sign-up is closed."}

	// The hash pool is full.
	ErrBusy = &Error{Status: 503, Detail: "Too many concurrent logins, please try again later.", RetryAfter: 2 * time.Second}
)

// Error returns the text for the operator: that of the client, and the cause.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" && len(e.Fields) > 0 {
		text = e.Fields[0].Field + ": " + e.Fields[0].Messages[0]
	}
	if text == "" && len(e.List) > 0 {
		text = e.List[0]
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause, which is never shown to a client.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether a client gets the same response for both errors, so that a copy
// with a cause equals the original. ErrTokenReused equals only itself, although a
// client cannot distinguish it from ErrTokenBlacklisted.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t != ErrTokenReused && e.Status == t.Status && e.Code == t.Code && e.Detail == t.Detail &&
		slices.EqualFunc(e.Fields, t.Fields, FieldError.equal) && slices.Equal(e.List, t.List)
}

func (f FieldError) equal(other FieldError) bool {
	return f.Field == other.Field && slices.Equal(f.Messages, other.Messages)
}

// Because returns a copy of e with a cause, which only the operator sees.
func (e *Error) Because(cause error) *Error {
	c := *e
	c.cause = cause
	return &c
}

// reason returns the text of the cause or, if there is none, the Detail.
func (e *Error) reason() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return e.Detail
}

// NotReady returns ErrUnavailable with a Reason.
func NotReady(reason string, cause error) *Error {
	e := ErrUnavailable.Because(cause)
	e.Reason = reason
	return e
}

// AsError returns the *Error that a client gets for err, which must not be nil. If err
// is or wraps an *Error, it returns that. Any other error becomes ErrUnavailable with
// err as its cause, so that after an unforeseen failure the gate rejects the request
// and reveals nothing.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return ErrUnavailable.Because(err)
}

// MarshalJSON returns the body of the response, with the members in the order of Django
// REST framework.
func (e *Error) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	switch {
	case e.List != nil:
		writeJSON(&b, e.List)
	case len(e.Fields) > 0:
		for i, f := range e.Fields {
			b.WriteByte("{,"[min(i, 1)])
			writeJSON(&b, f.Field)
			b.WriteByte(':')
			writeJSON(&b, f.Messages)
		}
		b.WriteByte('}')
	default:
		writeJSON(&b, struct {
			Detail   string         `json:"detail"`
			Code     string         `json:"code,omitempty"`
			Messages []TokenMessage `json:"messages,omitempty"`
			Flows    []string       `json:"flows,omitempty"`
			Pending  string         `json:"pending,omitempty"`
			Reason   string         `json:"reason,omitempty"`
		}{e.Detail, e.Code, e.Messages, e.Flows, e.Pending, e.Reason})
	}
	return b.Bytes(), nil
}

// writeJSON appends v without the HTML escapes that DRF does not write.
func writeJSON(b *bytes.Buffer, v any) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("jotgate: " + err.Error()) // unreachable: strings and slices only
	}
	b.Truncate(b.Len() - 1) // the newline that Encode adds
}

// Respond sends the error to the client: its status, its body, and Retry-After if
// RetryAfter is set. challenge is the value of WWW-Authenticate
// (TokenHeader.Challenge), which is sent with a 401 and with insufficient_scope. The
// response must not be cached.
func (e *Error) Respond(w http.ResponseWriter, challenge string) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	if challenge != "" && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden && e.Challenge != "") {
		if e.Challenge != "" {
			challenge += ", " + e.Challenge
		}
		h.Set("WWW-Authenticate", challenge)
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", throttle.RetryAfter(e.RetryAfter))
	}
	body, _ := e.MarshalJSON()
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(e.Status)
	_, _ = w.Write(body)
}

// ErrWrongPassword is the error if the current password, which a change requires, is
// wrong.
var ErrWrongPassword = &Error{Status: 400, Fields: []FieldError{{"current_password", []string{"Invalid password."}}}}

var errOwnUsers = errors.New("the accounts are kept by Settings.Users, not by the store")

var errNoOutbox = errors.New("the store has no outbox")

// errOvertaken reports that the account changed between the check and the
// start of the session.
var errOvertaken = errors.New("the account changed during the login")

var (
	errRevoked   = errors.New("the session or the user was revoked")
	errUncovered = errors.New("the token was issued before the time that the revocation list reaches back to")
	errNoIssued  = fmt.Errorf("%w: iat is missing, so the token may be older than a revocation of its user's tokens", jwt.ErrMissing)
)

// errStaleRevocations is the cause of the refusal with RevocationsRequired.
var errStaleRevocations = errors.New("the revocation list is stale")

// fieldError returns the error with status 400 about one field.
func fieldError(field string, texts ...string) *Error {
	return &Error{Status: 400, Fields: []FieldError{{field, texts}}}
}
