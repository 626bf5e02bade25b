package jwt

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// maxLeeway is the most that clocks may differ (tink's bound as well): more
// than that is no clock skew but a longer lifetime.
const maxLeeway = 10 * time.Minute

// Rules says what a verifier demands of a genuine token. The zero value is the
// safe one: exp is required, no clock skew is allowed, and a token addressed to
// anyone (aud) is refused since nobody is expected. A weakening is called
// Insecure.
type Rules struct {
	// Issuer is the iss to expect. When set, a token must carry it (RFC 7519
	// section 4.1.1); when empty, iss is not looked at.
	Issuer string

	// Audience lists the names this verifier goes by. When set, a token must
	// carry an aud that holds one of them (section 4.1.3). When empty, a token
	// with an aud is refused.
	Audience []string

	// InsecureAnyAudience accepts tokens addressed to others when Audience is
	// empty, as SimpleJWT does.
	InsecureAnyAudience bool

	// Leeway is how far clocks may differ, in whole seconds, at most ten
	// minutes. Default 0. It applies to exp, nbf and iat.
	Leeway time.Duration

	// Now is the clock. Default time.Now.
	Now func() time.Time

	// Require lists claims that a token must carry, besides exp. One that is
	// null or an empty string counts as missing. At most 32.
	Require []string

	// InsecureNoExpiration accepts tokens without exp, which never expire.
	InsecureNoExpiration bool

	// Type is the typ of the header to expect, such as "at+jwt" (RFC 8725
	// section 3.11); case and a leading "application/" do not matter (RFC 7515
	// section 4.1.9). When empty, typ is not looked at.
	Type string

	// NumericSubject accepts a whole number as sub, against RFC 7519 section
	// 4.1.2, as old versions of SimpleJWT wrote it.
	NumericSubject bool

	// Cache is how many tokens to remember whose signature has been found
	// right, so that a token shown again costs no second public-key operation;
	// an odd number is rounded up. Default 0: none. It holds whole tokens, at most 8 KiB each; every other
	// rule is checked anew each time. HMAC is not cached: it is as fast.
	Cache int
}

// prepare checks the rules and makes a copy that nobody else can change.
func (r Rules) prepare() (Rules, error) {
	switch {
	case r.Leeway < 0 || r.Leeway > maxLeeway || r.Leeway%time.Second != 0:
		return r, fmt.Errorf("jwt: leeway %v is not a whole number of seconds from 0 to %v", r.Leeway, maxLeeway)
	case slices.Contains(r.Audience, ""):
		return r, errors.New("jwt: an audience is empty")
	case len(r.Audience) > 0 && r.InsecureAnyAudience:
		return r, errors.New("jwt: Audience and InsecureAnyAudience contradict each other")
	case r.InsecureNoExpiration && slices.Contains(r.Require, "exp"):
		return r, errors.New("jwt: exp is both required and waived")
	case r.Cache < 0:
		return r, errors.New("jwt: negative cache size")
	}
	if r.Now == nil {
		r.Now = time.Now
	}
	r.Audience = slices.Clone(r.Audience)
	r.Require = slices.Clone(r.Require)
	r.Require = slices.DeleteFunc(r.Require, func(name string) bool { return name == "exp" }) // it is, unless waived
	if len(r.Require) > 32 {
		return r, errors.New("jwt: more than 32 required claims")
	}
	r.Type = mediaType(r.Type)
	return r, nil
}
