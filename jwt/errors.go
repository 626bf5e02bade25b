package jwt

import "errors"

// A Reason says why a token was refused. Test for it with [errors.Is].
type Reason string

// The reasons. ErrInvalid covers everything that happens before the signature
// has been found right: the token may come from anybody, so its sender learns
// nothing more. All others are given for genuine tokens only.
const (
	ErrInvalid        Reason = "token is invalid"
	ErrExpired        Reason = "token is expired"
	ErrNotYetValid    Reason = "token is not yet valid"
	ErrIssuedInFuture Reason = "token was issued in the future"
	ErrIssuer         Reason = "token has the wrong issuer"
	ErrAudience       Reason = "token has the wrong audience"
	ErrType           Reason = "token has the wrong type"
	ErrMissing        Reason = "token lacks a required claim"
	ErrMalformed      Reason = "token has a malformed claim"
)

// Error returns the reason as a sentence for the sender of the token.
func (r Reason) Error() string { return string(r) }

// An Error is what Verify returns. Its text may be shown to the sender of the
// token; Detail is for the operator.
type Error struct {
	Reason Reason
	Claim  string // the name of the claim at fault, where there is one
	detail string
}

// Error returns the text of the reason. It holds nothing of the token.
func (e *Error) Error() string { return string(e.Reason) }

// Detail says more exactly what was wrong, for a log. It holds no secret and no
// part of the token but the name of a claim.
func (e *Error) Detail() string {
	if e.Claim == "" {
		return e.detail
	}
	return "claim " + e.Claim + ": " + e.detail
}

// Unwrap returns the reason, so that errors.Is(err, jwt.ErrExpired) works.
func (e *Error) Unwrap() error { return e.Reason }

func invalid(detail string) *Error { return &Error{Reason: ErrInvalid, detail: detail} }

func claimError(r Reason, claim, detail string) *Error {
	return &Error{Reason: r, Claim: claim, detail: detail}
}

// What can be wrong with a token before its signature is checked. Made once,
// so that refusing a forged token costs nothing.
var (
	errSize      = invalid("longer than 8192 bytes")
	errSegments  = invalid("not three segments")
	errHeader    = invalid("header is not canonical base64url of a strict JSON object")
	errMember    = invalid("a header member is of the wrong type")
	errCritical  = invalid("header asks for an extension (crit, b64) that is not understood")
	errAlgorithm = invalid("header names an algorithm that no key has")
	errKey       = invalid("header names a key that is not in the set")
	errTooMany   = invalid("no kid, and more keys of this algorithm than are tried")
	errSignature = invalid("signature is wrong")
	errNoKeys    = invalid("there are no keys yet")
	errNotJSON   = &Error{Reason: ErrMalformed, detail: "payload is not canonical base64url of a strict JSON object"}
)

// Errors about keys and rules.
var (
	errWeak   = errors.New("jwt: secret is too weak")
	errNoSign = errors.New("jwt: key cannot sign: it is a public key")
)
