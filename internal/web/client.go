package web

// Which client a request comes from, and how much it may do.

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/lockout"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// Client returns the client of a request, behind the trusted proxies, and its
// network, which is what rates and lockouts count. The address is empty if the peer
// has none.
func (s *Shell) Client(r *http.Request) (client jotgate.Client, network string) {
	addr := s.proxies.ClientAddr(r)
	endpoint := strings.TrimPrefix(strings.TrimSuffix(r.Pattern, "{$}"), s.settings.Prefix)
	address := "" // a peer on a Unix socket has none
	if addr.IsValid() {
		address = addr.String()
	}
	return jotgate.Client{Address: address, UserAgent: r.UserAgent(), Endpoint: endpoint}, throttle.Network(addr)
}

// warnUntrusted logs once that a forwarded address is ignored: a proxy is missing
// from TrustedProxies, or a client tries to forge its address.
func (s *Shell) warnUntrusted(r *http.Request) {
	if s.warned.Load() {
		return
	}
	if header := s.proxies.Ignored(r); header != "" && s.warned.CompareAndSwap(false, true) {
		s.logger().WarnContext(r.Context(), "a forwarded client address is ignored, since its sender is not among TrustedProxies",
			"header", header, "peer", r.RemoteAddr)
	}
}

// Limit counts one request of a network in each of the scopes. The error is 429
// with the longest of their waits. A scope without a rate has no limit.
func (s *Shell) Limit(network string, scopes ...string) error {
	return s.limit(func(string) string { return network }, scopes)
}

// LimitUser is Limit for a request of a user, wherever it comes from.
func (s *Shell) LimitUser(user record.UserID, network string, scopes ...string) error {
	return s.limit(func(scope string) string {
		if scope == "user" {
			return "user " + string(user)
		}
		return network
	}, scopes)
}

func (s *Shell) limit(key func(scope string) string, scopes []string) error {
	var longest time.Duration
	for _, scope := range scopes {
		if limiter := s.limiters[scope]; limiter != nil {
			wait := s.allow(limiter, scope, key(scope))
			longest = max(longest, wait)
			if wait > 0 {
				s.countThrottled(scope)
			}
		}
	}
	if longest > 0 {
		return lockout.Throttled(longest)
	}
	return nil
}

// allow counts a request in a scope, here and over all nodes, and returns how long to
// wait if it is rejected.
func (s *Shell) allow(limiter *throttle.Limiter, scope, key string) time.Duration {
	shared := s.settings.SharedRates
	if shared != nil {
		if wait := shared.Refused(scope, key, limiter.Rate()); wait > 0 {
			return wait
		}
	}
	wait, ok := limiter.Allow(key)
	if ok && shared != nil {
		wait = shared.Allow(scope, key, limiter.Rate())
	}
	return wait
}

// countThrottled counts a request that a rate rejects.
func (s *Shell) countThrottled(scope string) {
	figures := s.gate.Settings().Metrics
	figures.Count(metrics.Throttled, scope)
	if scope == "login" {
		figures.Count(metrics.Logins, "throttled")
	}
}

// Lockout slows down password checks after failures. Every endpoint that checks
// a password calls it.
func (s *Shell) Lockout() *lockout.Lockout { return s.lockout }

// newLimiters makes the limiter of each scope that has a rate.
func newLimiters(rates map[string]string, clock func() time.Time) (map[string]*throttle.Limiter, error) {
	limiters := map[string]*throttle.Limiter{}
	for scope, text := range rates {
		if text == "" {
			continue
		}
		var err error
		if limiters[scope], err = newLimiter(text, clock); err != nil {
			//lint:ignore ST1005 Rates is the name of the setting
			return nil, fmt.Errorf("Rates: %s: %w", scope, err)
		}
	}
	return limiters, nil
}

func newLimiter(text string, clock func() time.Time) (*throttle.Limiter, error) {
	rate, err := throttle.ParseRate(text)
	if err != nil {
		return nil, err
	}
	return throttle.NewLimiter(rate, throttle.Options{Clock: clock})
}

func newProxies(s Settings) (throttle.Proxies, error) {
	proxies, err := throttle.ParseProxies(s.TrustedProxies)
	if err != nil {
		return proxies, fmt.Errorf("TrustedProxies: %w", err)
	}
	proxies.Forwarded = s.ForwardedHeader
	return proxies, nil
}
