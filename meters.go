package jotgate

// What a gate counts (Settings.Metrics), and the spans of what it computes.

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/trace"
)

// createSeries creates the series of logins and refreshes, so that the first of each
// is an increase that Prometheus sees.
func createSeries(r *metrics.Registry) {
	for _, result := range []string{"ok", "password", "unknown", "inactive", "locked", "throttled", "busy"} {
		r.Series(metrics.Logins, result)
	}
	for _, result := range []string{"ok", "grace", "reuse", "expired", "revoked", "invalid", "unavailable"} {
		r.Series(metrics.Refreshes, result)
	}
}

// measureGate sets the figures of a gate that a Guard does not have.
func (g *Gate) measureGate(ctx context.Context, set metrics.Set) {
	g.measure(ctx, set)
	p := g.hashPool
	hashing := p.hashing.Load()
	set(metrics.HashBusy, float64(hashing))
	set(metrics.HashQueue, float64(max(0, p.pending.Load()-hashing)))
	set(metrics.HashMemory, float64(p.used.Load()))
	if g.revoked.Served() {
		set(metrics.FeedFollowers, float64(g.revoked.Followers()))
	}
	number := map[[2]string]int{}
	for _, key := range g.keys.Stored() {
		number[[2]string{key.Algorithm, string(key.State)}]++
		if key.State == record.KeyCurrent {
			set(metrics.KeyAge, max(0, g.now().Sub(key.Switched).Seconds()), key.Algorithm)
		}
	}
	for of, n := range number {
		set(metrics.Keys, float64(n), of[0], of[1])
	}
}

// countLogin counts a login that has failed.
func (g *Gate) countLogin(err error) {
	result := ""
	switch {
	case errors.Is(err, ErrBusy):
		result = "busy"
	case errors.Is(err, ErrNoActiveAccount):
		result = loginResults[failureReason(err)]
	}
	if result != "" {
		g.settings.Metrics.Count(metrics.Logins, result)
	}
}

// loginResults has the result of each reason for which a login fails.
var loginResults = map[string]string{
	"no such account": "unknown", "no usable password": "password", "wrong password": "password", "wrong password, inactive": "password",
	"inactive": "inactive", failureChanged: "inactive",
}

// refreshResult returns the result of a use of a refresh token. Retry says that it
// was repeated within the grace time.
func refreshResult(retry bool, err error) string {
	switch {
	case err == nil && retry:
		return "grace"
	case err == nil:
		return "ok"
	case errors.Is(err, ErrTokenReused):
		return "reuse"
	case errors.Is(err, ErrTokenBlacklisted):
		return "revoked"
	case errors.Is(err, jwt.ErrExpired), errors.Is(err, ErrTokenExpired):
		return "expired"
	case AsError(err).Status == ErrUnavailable.Status:
		return "unavailable"
	}
	return "invalid"
}

// hash runs do, which computes a hash as costly as the encoded one, in the hash
// pool. An empty one is as costly as a new one.
func (g *Gate) hash(ctx context.Context, encoded string, do func()) error {
	scheme := g.hashScheme(encoded)
	ctx, span := trace.Start(ctx, trace.Internal, "jotgate.password", slog.String("jotgate.password.scheme", scheme))
	err := g.hashPool.do(ctx, g.hasher.Memory(encoded), func() {
		span.Event("jotgate.password.hashing") // until now it waited in the queue
		began := g.now()
		do()
		g.settings.Metrics.Observe(metrics.HashDuration, g.now().Sub(began), scheme)
	})
	span.End(errorType(err))
	return err
}

// errorType returns what a span calls an error: its code, or its status.
func errorType(err error) string {
	if err == nil {
		return ""
	}
	e := AsError(err)
	return cmp.Or(e.Code, strconv.Itoa(e.Status))
}

// hashScheme returns the algorithm of a stored hash or, if there is none, of new
// ones.
func (g *Gate) hashScheme(encoded string) string {
	if encoded == "" {
		name, _, _ := strings.Cut(g.hasher.String(), ":")
		name, _, _ = strings.Cut(name, ",")
		return name
	}
	return passwd.Identify(encoded).Algorithm
}
