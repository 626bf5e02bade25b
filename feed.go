package jotgate

// The revocation feed over HTTP; internal/revocation describes its format.

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jotgate/jotgate/internal/revocation"
)

// RevocationFeed returns a handler that serves the feed of revocations, which Guards in
// other processes follow (GuardSettings.RevocationsURL). It shows only the ids of
// sessions and users; serve it only to your own services. Unless
// Settings.ServeRevocations is set, it responds with 404.
func (ss Sessions) RevocationFeed() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ss.gate.serveFeed(w, r); err != nil {
			AsError(err).Respond(w, "")
		}
	})
}

// serveFeed waits for a revocation, for as long as the client asks for, and
// sends a page.
func (g *Gate) serveFeed(w http.ResponseWriter, r *http.Request) error {
	if !g.revoked.Served() {
		return ErrNotFound
	}
	if g.RevocationAge() > g.settings.RevocationMaxAge {
		return ErrUnavailable.Because(fmt.Errorf("the revocations are %v old", g.RevocationAge()))
	}
	query := r.URL.Query()
	seconds, _ := strconv.Atoi(query.Get("wait"))
	wait := time.Duration(min(max(0, seconds), 3600)) * time.Second
	page, err := g.revoked.NextPage(r.Context(), query.Get("since"), wait, g.readRevocations)
	if err != nil {
		return err
	}
	body, signature, err := revocation.Sign(g.keys.Signing(), page, cut(query.Get("nonce"), 64), g.now())
	if err != nil {
		return err
	}
	w.Header().Set(revocation.SignatureHeader, signature)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
	return nil
}
