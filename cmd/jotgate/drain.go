package main

// How serve stops without failed requests: behind a proxy, another node
// continues, and no request that has reached this one ends with a connection
// reset.
//
//  1. /readyz responds with 503, and every response asks the client to close
//     the connection, while new requests are still served: for one second at
//     most, or until there are no connections. Requests that wait for an event
//     (package stopping) get their response.
//  2. No new connections are accepted, except those already in the queue
//     (drain_linux.go).
//  3. Requests in progress are finished, for --drain-timeout at most.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
)

// closeDelay is the longest duration of step 1.
const closeDelay = time.Second

// drainer is the handler of a server that may have to stop.
type drainer struct {
	next     http.Handler
	prefix   string        // of the endpoints
	stops    chan struct{} // closed when it begins to stop
	draining atomic.Bool
	open     atomic.Int64 // connections
}

// ServeHTTP implements http.Handler.
func (p *drainer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.draining.Load() {
		w.Header().Set("Connection", "close")
		if r.URL.Path == "/readyz" || r.URL.Path == p.prefix+"/readyz" {
			jotgate.NotReady("shutting down", nil).Respond(w, "")
			return
		}
	}
	p.next.ServeHTTP(w, r)
}

// count is http.Server.ConnState.
func (p *drainer) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		p.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		p.open.Add(-1)
	}
}

// waitIdle waits until all clients have disconnected, but at most limit. It
// returns only after ten checks in a row without a connection, because a
// client may just be opening its next one.
func (p *drainer) waitIdle(limit time.Duration) {
	p.draining.Store(true)
	for wait, idle := time.Duration(0), 0; wait < limit && idle < 10; wait += 10 * time.Millisecond {
		if idle++; p.open.Load() > 0 {
			idle = 0
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// drain lets requests in progress finish.
func (c *serveCommand) drain(a *app, s *serving) error {
	a.notify("STOPPING=1")
	a.warn("jotgate: finishing the open requests")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), c.DrainTimeout)
	defer cancel()
	if err := s.drainer.stop(ctx, s.server, s.listener, s.ended, min(closeDelay, c.DrainTimeout/4)); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off after %v", c.DrainTimeout), s.server.Close())
	}
	return nil
}

// stop runs all three steps. Shutdown comes last, because net/http then
// drops requests that it has read but not yet passed to the handler.
func (p *drainer) stop(ctx context.Context, server *http.Server, listener net.Listener, ended <-chan error, first time.Duration) error {
	close(p.stops)
	p.waitIdle(first)
	_ = listener.Close()
	<-ended // all connections in the queue have been accepted now
	p.waitIdle(first)
	return server.Shutdown(ctx)
}

// reportReady says that requests are served: to systemd, and in a JSON log, whose
// reader does not see standard output.
func (c *serveCommand) reportReady(a *app, listener net.Listener, gate *jotgate.Gate) {
	a.notify("READY=1")
	if c.LogFormat == "json" {
		gate.Settings().Logger.InfoContext(a.ctx, "ready", "address", c.placeOf(listener), "database", c.shown(), "version", version())
	}
}
