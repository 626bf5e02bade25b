package jotgate_test

import (
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
)

// BenchmarkVerifyCounted compares the verification of a token with and without
// metrics.
func BenchmarkVerifyCounted(b *testing.B) {
	for _, c := range []struct {
		name    string
		figures *metrics.Registry
	}{{"without", nil}, {"with", metrics.New()}} {
		g := newGate(b, func(s *jotgate.Settings) { s.Metrics = c.figures })
		g.user(b, "alice", nil)
		tokens, err := g.Login(b.Context(), "alice", password, jotgate.Client{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := g.VerifyAccess(tokens.Access); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Each result of a verification, a login and a refresh is counted as what it is.
func TestResultsAreCounted(t *testing.T) {
	figures := metrics.New()
	g := newGate(t, func(s *jotgate.Settings) { s.Metrics, s.RememberTokens = figures, 10 })
	g.user(t, "alice", nil)
	ctx, none := t.Context(), jotgate.Client{}
	tokens, err := g.Login(ctx, "alice", password, none)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = g.Login(ctx, "alice", "wrong", none)
	_, _ = g.Login(ctx, "nobody", "wrong", none)
	_, _ = g.VerifyAccess(tokens.Access)
	_, _ = g.VerifyAccess(tokens.Access) // from the cache
	_, _ = g.VerifyAccess(tokens.Access + "x")
	next, err := g.Refresh(ctx, tokens.Refresh, none)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = g.Refresh(ctx, tokens.Refresh, none) // within the grace time
	_, _ = g.Refresh(ctx, "x", none)
	if err := g.Logout(ctx, next.Refresh, none); err != nil {
		t.Fatal(err)
	}
	_, _ = g.VerifyAccess(tokens.Access)
	_, _ = g.Refresh(ctx, next.Refresh, none)
	got := map[string]float64{}
	for _, s := range figures.Samples(ctx) {
		got[strings.TrimPrefix(s.Name, "jotgate_")+" "+strings.Join(s.Labels, " ")] = s.Value
	}
	for want, n := range map[string]float64{
		"logins_total result ok": 1, "logins_total result password": 1, "logins_total result unknown": 1, "logins_total result busy": 0,
		"token_verifications_total result ok": 2, "token_verifications_total result invalid": 1, "token_verifications_total result revoked": 1, "token_cache_hits_total ": 2,
		"refreshes_total result ok": 1, "refreshes_total result grace": 1, "refreshes_total result invalid": 1, "refreshes_total result revoked": 1,
		"tokens_issued_total grant login kind access": 1, "tokens_issued_total grant refresh kind refresh": 2,
		"revocations_in_memory ": 1, "hash_queue_length ": 0,
	} {
		if got[want] != n {
			t.Errorf("%s is %v, want %v", want, got[want], n)
		}
	}
}
