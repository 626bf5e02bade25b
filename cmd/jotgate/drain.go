package main

// How serve ends, so that nobody notices: behind a proxy the other node goes
// on, and no request that reached this one is answered with a reset.
//
//  1. /readyz says 503, and every answer asks for the connection to be closed,
//     while new requests are still answered: for a second at most, or until
//     nobody is connected.
//  2. No new connection is taken; those that wait to be taken are
//     (drain_linux.go).
//  3. Requests in hand are finished, for --drain-timeout at most.

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

// farewell is how long step 1 takes at most.
const farewell = time.Second

// parting is the handler of a server that may have to leave.
type parting struct {
	next    http.Handler
	leaving atomic.Bool
	open    atomic.Int64 // connections
}

// ServeHTTP implements http.Handler.
func (p *parting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p.leaving.Load() {
		w.Header().Set("Connection", "close")
		if r.URL.Path == "/readyz" {
			jotgate.ErrUnavailable.Because(errors.New("shutting down")).Respond(w, "")
			return
		}
	}
	p.next.ServeHTTP(w, r)
}

// count is http.Server.ConnState.
func (p *parting) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		p.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		p.open.Add(-1)
	}
}

// sayGoodbye lets clients go, for so long at most. Nobody is connected when that
// was so ten times in a row: a client may just be between two connections.
func (p *parting) sayGoodbye(limit time.Duration) {
	p.leaving.Store(true)
	for wait, quiet := time.Duration(0), 0; wait < limit && quiet < 10; wait += 10 * time.Millisecond {
		if quiet++; p.open.Load() > 0 {
			quiet = 0
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// drain lets requests in hand finish. ended is what Serve returns.
func (c *serveCommand) drain(a *app, server *http.Server, listener net.Listener, p *parting, ended <-chan error) error {
	c.report(a, "jotgate: finishing the requests in hand")
	ctx, cancel := context.WithTimeout(context.WithoutCancel(a.ctx), c.DrainTimeout)
	defer cancel()
	if err := p.leave(ctx, server, listener, ended, min(farewell, c.DrainTimeout/4)); err != nil {
		return errors.Join(fmt.Errorf("requests were cut off after %v", c.DrainTimeout), server.Close())
	}
	return nil
}

// leave goes through all three steps. Shutdown comes last and late: from then
// on net/http drops requests that it has read and not yet handed on.
func (p *parting) leave(ctx context.Context, server *http.Server, listener net.Listener, ended <-chan error, first time.Duration) error {
	p.sayGoodbye(first)
	_ = listener.Close()
	<-ended // all who were in the queue are connected now
	p.sayGoodbye(first)
	return server.Shutdown(ctx)
}

// report tells the operator what serve does: as a log line in JSON if the log is
// JSON, otherwise as a sentence.
func (c *serveCommand) report(a *app, text string) {
	if log, err := c.logger(a.stderr); err == nil && c.LogFormat == "json" {
		log.InfoContext(a.ctx, text)
		return
	}
	a.warn("%s", text)
}
