package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// livez is GET /livez: the process responds.
func livez(a *API) http.Handler {
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		serveText(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	})
}

// readyz is GET /readyz: the node can do its work, which includes writing to
// the database. Otherwise the status is 503 and the body says why.
func readyz(a *API) http.Handler {
	check := &readiness{gate: a.gate, now: time.Now}
	return a.getOnly(func(w http.ResponseWriter, r *http.Request) {
		if err := check.result(r.Context()); err != nil {
			a.shell.Respond(w, r, jotgate.AsError(err), "")
			return
		}
		serveText(w, r, "text/plain; charset=utf-8", []byte("ok\n"))
	})
}

// A readiness remembers its result for readinessAge, so that many requests do
// not become many writes, and waits for the database at most readinessTimeout.
type readiness struct {
	gate *jotgate.Gate
	now  func() time.Time

	mu      sync.Mutex // held while the database is asked
	checked time.Time
	err     error
}

const (
	readinessAge     = 500 * time.Millisecond
	readinessTimeout = 2 * time.Second
)

func (c *readiness) result(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); c.checked.IsZero() || now.Sub(c.checked).Abs() >= readinessAge {
		// The result is also for others, so it does not depend on this client.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readinessTimeout)
		defer cancel()
		c.err = c.ask(ctx)
		c.checked = c.now()
	}
	return c.err
}

func (c *readiness) ask(ctx context.Context) error {
	s := c.gate.Settings()
	if s.RevocationsRequired && c.gate.RevocationAge() > s.RevocationMaxAge {
		return jotgate.NotReady("the list of revocations is too old, so that no token is accepted", nil)
	}
	store := c.gate.Store()
	if r, ok := store.(record.Readiness); ok {
		return r.Ready(ctx)
	}
	if _, err := store.Sessions().Find(ctx, "readyz"); err != nil && !errors.Is(err, jotgate.ErrNotFound) {
		return jotgate.NotReady("the database cannot be read", err)
	}
	return nil
}
