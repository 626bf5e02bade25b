package jwt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxLeeway is the largest clock skew that can be allowed, as in tink. More would
// not compensate for clock skew but extend the lifetime of tokens.
const maxLeeway = 10 * time.Minute

// Rules are the requirements of a verifier on correctly signed tokens. The zero
// value is safe: exp is required, no clock skew is allowed, and a token with an aud
// is refused, since no audience is expected. Fields that weaken a check have names
// that begin with Insecure.
type Rules struct {
	// Issuer is the required iss (RFC 7519 section 4.1.1). If it is empty, iss
	// is not checked.
	Issuer string

	// Audience lists the names of this verifier. The aud of a token must contain
	// one of them (section 4.1.3). If the list is empty, a token with an aud is
	// refused.
	Audience []string

	// InsecureAnyAudience accepts tokens with any aud, as SimpleJWT does. It is
	// safe only if the issuer issues no tokens for other services. Audience must
	// be empty.
	InsecureAnyAudience bool

	// Leeway is the allowed clock skew for exp, nbf and iat: whole seconds, at
	// most ten minutes. Default 0.
	Leeway time.Duration

	// Now is the clock. Default time.Now.
	Now func() time.Time

	// Require lists claims that a token must have in addition to exp, at most 32.
	// A claim that is null or an empty string counts as missing.
	Require []string

	// InsecureNoExpiration accepts tokens without exp. Such a token is valid for
	// as long as its key is, so a stolen one can only be stopped by another key.
	InsecureNoExpiration bool

	// Type is the required typ of the header, such as "at+jwt" (RFC 8725 section
	// 3.11). Case and a leading "application/" are ignored (RFC 7515 section
	// 4.1.9). If it and Types are empty, typ is not checked.
	Type string

	// Types lists further values of typ that are accepted; "" accepts a token
	// without typ.
	Types []string
	types []string // the same as mediaType returns them

	// NumericSubject accepts a whole number as sub, as old versions of SimpleJWT
	// wrote it. RFC 7519 section 4.1.2 requires a string.
	NumericSubject bool

	// Cache is the number of tokens, rounded up to an even number, whose valid
	// signature is cached, so that a token that is used again costs no public-key
	// operation. Every other check is repeated each time. A cached token takes up
	// to 8 KiB. HMAC signatures are not cached, since checking them is as fast.
	// Default 0.
	Cache int
}

// prepare checks the rules and returns a copy with the defaults filled in.
func (r Rules) prepare() (Rules, error) {
	switch {
	case r.Leeway < 0 || r.Leeway > maxLeeway || r.Leeway%time.Second != 0:
		return r, fmt.Errorf("jwt: Rules.Leeway is %v; it must be a whole number of seconds from 0 to %v", r.Leeway, maxLeeway)
	case slices.Contains(r.Audience, ""):
		return r, errors.New("jwt: Rules.Audience contains an empty name")
	case len(r.Audience) > 0 && r.InsecureAnyAudience:
		return r, errors.New("jwt: Rules.Audience and Rules.InsecureAnyAudience contradict each other")
	case r.InsecureNoExpiration && slices.Contains(r.Require, "exp"):
		return r, errors.New("jwt: Rules.Require contains exp, but Rules.InsecureNoExpiration is set")
	case r.Cache < 0:
		return r, errors.New("jwt: Rules.Cache is negative")
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	r.Audience = slices.Clone(r.Audience)
	r.Require = slices.Clone(r.Require)
	r.Require = slices.DeleteFunc(r.Require, func(name string) bool { return name == "exp" }) // exp is checked separately
	if len(r.Require) > 32 {
		return r, errors.New("jwt: Rules.Require has more than 32 claims")
	}
	r.Types, r.types = slices.Clone(r.Types), nil
	if r.Type != "" {
		r.Types = append(r.Types, r.Type)
	}
	for _, typ := range r.Types {
		r.types = append(r.types, mediaType(typ))
	}
	return r, nil
}

// acceptsType reports whether a token with this typ may be accepted.
func (r *Rules) acceptsType(typ string) bool {
	if len(r.Types) == 0 || slices.Contains(r.Types, typ) { // as written, which most tokens are
		return true
	}
	short := mediaType(typ)
	return short != "" && slices.Contains(r.types, short) // "application/" is not a missing typ
}

// mediaType returns a typ in its shortest form, in lower case (RFC 7515 section
// 4.1.9).
func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if rest, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(rest, "/") {
		return rest
	}
	return typ
}
