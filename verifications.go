package jotgate

import (
	"errors"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
)

// verifications counts access tokens, without a look-up for each. nil counts
// nothing.
type verifications struct {
	ok, expired, revoked, invalid, unavailable, recall *metrics.Series
}

func newVerifications(r *metrics.Registry) *verifications {
	if r == nil {
		return nil
	}
	of := func(result string) *metrics.Series { return r.Series(metrics.TokenVerifications, result) }
	return &verifications{of("ok"), of("expired"), of("revoked"), of("invalid"), of("unavailable"), r.Series(metrics.TokenCacheHits)}
}

// count counts a verification with this error.
func (v *verifications) count(err error) {
	switch {
	case err == nil:
		v.ok.Inc()
	case AsError(err).Status == ErrUnavailable.Status:
		v.unavailable.Inc()
	case errors.Is(err, jwt.ErrExpired):
		v.expired.Inc()
	case errors.Is(err, errRevoked):
		v.revoked.Inc()
	default:
		v.invalid.Inc()
	}
}

// recalled counts a token that was found in the cache.
func (v *verifications) recalled() {
	if v != nil {
		v.recall.Inc()
	}
}
