package jwt

import "errors"

// A Reason is the reason why a token was refused. Test for it with [errors.Is].
type Reason string

// The reasons. ErrInvalid is the reason for every failure before the signature
// check has succeeded: the token may come from anyone, so its sender learns
// nothing more. The exception is ErrNoKeys, if [Keys] has no set: a server should
// respond with 503. For [errors.Is], an ErrNoKeys is also an ErrInvalid.
// All other reasons apply to correctly signed tokens only.
const (
	ErrInvalid        Reason = "token is invalid"
	ErrNoKeys         Reason = "there are no keys to verify tokens with"
	ErrExpired        Reason = "token is expired"
	ErrNotYetValid    Reason = "token is not yet valid"
	ErrIssuedInFuture Reason = "token was issued in the future"
	ErrIssuer         Reason = "token has the wrong issuer"
	ErrAudience       Reason = "token has the wrong audience"
	ErrType           Reason = "token has the wrong type"
	ErrMissing        Reason = "token lacks a required claim"
	ErrMalformed      Reason = "token has a malformed claim"
)

// Error returns the reason as a text for the sender of the token.
func (r Reason) Error() string { return string(r) }

// Is makes [errors.Is] report that an ErrNoKeys is also an ErrInvalid, since without
// keys no token is valid.
func (r Reason) Is(target error) bool {
	return r == target || r == ErrNoKeys && target == ErrInvalid
}

// An Error is the error of [Verifier.Verify] and of [DecodeUnverified]. Its text may
// be shown to the sender of the token; Detail is for the operator.
type Error struct {
	Reason Reason
	Claim  string // the name of the claim that is wrong, or ""
	detail string
}

// Error returns the text of the reason. It contains no part of the token.
func (e *Error) Error() string { return string(e.Reason) }

// Detail returns a more precise description, for a log. It contains no secret and
// no part of the token except the name of a claim.
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

// Failures before the signature check has succeeded. They are variables so that
// refusing a forged token allocates nothing.
var (
	errSize      = invalid("longer than 8192 bytes")
	errSegments  = invalid("not three segments")
	errHeader    = invalid("header is not canonical base64url of a strict JSON object")
	errMember    = invalid("a header member has the wrong type")
	errCritical  = invalid("header requires an extension (crit, b64) that is not supported")
	errAlgorithm = invalid("header names an algorithm that no key has")
	errKey       = invalid("header names a key that is not in the set")
	errTooMany   = invalid("more than 8 keys have this algorithm and kid")
	errSignature = invalid("signature is wrong")
	errNoKeys    = &Error{Reason: ErrNoKeys, detail: "no keys are available: none were fetched yet, or they are too old"}
	errNotJSON   = &Error{Reason: ErrMalformed, detail: "payload is not canonical base64url of a strict JSON object"}
)

// Errors about keys and rules.
var (
	errWeak   = errors.New("jwt: secret is too weak")
	errNoSign = errors.New("jwt: a public key cannot sign")
)
