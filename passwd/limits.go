package passwd

// Limits: the most costly stored hashes that are computed.

import (
	"errors"
	"fmt"
	"strings"
)

// WithLimits returns a Hasher with the same setting as h that accepts stored hashes
// up to the given limits, one for each algorithm that is named, in the form that
// [New] reads:
//
//	hasher, err = hasher.WithLimits("pbkdf2_sha256:8000000", "bcrypt:15")
//
// Parameters that a limit does not name have the default limit's value. Algorithms
// that are not named have their default limit, about a second of one processor core:
//
//	pbkdf2_sha256:5000000               iterations; also pbkdf2_sha1
//	argon2:m=262144,t=4,p=16            memory m; time m times t; parallelism p
//	bcrypt:14                           log2 of the rounds; also bcrypt_sha256
//	scrypt:n=131072,r=8,p=2             memory n times r; time n times r times p
//
// Hashes that cost no more than those that h makes are always accepted. The error is
// ErrSetting for a limit below the cost of those, for a limit above the highest
// possible one (see the package comment), and for an algorithm that has no
// parameters or is named twice.
func (h *Hasher) WithLimits(limits ...string) (*Hasher, error) {
	limited := &Hasher{preferred: h.preferred, keep: h.keep, watch: h.watch, limits: map[string]recipe{}}
	for _, text := range limits {
		name, parameters, _ := strings.Cut(text, ":")
		a := algorithms[name]
		if a == nil || parameters == "" {
			return nil, fmt.Errorf("%w: limit %q must be an algorithm with parameters, such as pbkdf2_sha256:5000000", ErrSetting, text)
		}
		limit, err := a.read(parameters, a.limit())
		preferred := h.prefers()
		_, twice := limited.limits[name]
		switch {
		case err != nil || !a.possible(limit):
			return nil, fmt.Errorf("%w: limit %q: invalid parameters", ErrSetting, text)
		case a.exceeds(limit, a.ceiling()):
			return nil, fmt.Errorf("%w: limit %q is above %s", ErrSetting, text, a.ceiling().setting())
		case name == preferred.algorithm && a.exceeds(preferred, limit):
			return nil, fmt.Errorf("%w: limit %q is below the hasher's own %s", ErrSetting, text, preferred.setting())
		case twice:
			return nil, fmt.Errorf("%w: two limits for %s", ErrSetting, name)
		}
		limited.limits[name] = limit
	}
	return limited, nil
}

// parse is the function parse, which also returns errTooCostly for parameters above
// the Hasher's limit. Everything that a Hasher computes has passed it.
func (h *Hasher) parse(encoded string) (hash, error) {
	stored, err := parse(encoded)
	if err != nil {
		return hash{}, err
	}
	a, preferred := stored.kind(), h.prefers()
	limit, given := h.limits[stored.algorithm]
	if !given {
		limit = a.limit()
	}
	own := stored.algorithm == preferred.algorithm && !a.exceeds(stored.recipe, preferred)
	if a.exceeds(stored.recipe, limit) && !own {
		return hash{}, errTooCostly
	}
	return stored, nil
}

// TooCostly reports whether encoded is a password hash whose parameters are above
// the limits, so that Check rejects every password for it. The user can log in
// again after a password reset, or after the limit was raised.
func (h *Hasher) TooCostly(encoded string) bool {
	_, err := h.parse(encoded)
	return errors.Is(err, errTooCostly)
}
