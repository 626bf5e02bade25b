package main

// What handles the requests of serve: a gate with its database, the API, the pages
// and the administration, and the work in their background. A reload makes another
// one beside it, as a second node would be.

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/webhook"
)

// generation is what serve makes of its settings.
type generation struct {
	command *serveCommand
	gate    *jotgate.Gate
	db      *store.Store
	own     *ownHandler
	hooks   *webhook.Webhooks
	sender  *mail.Sender
	metrics *metrics.Registry
	handler http.Handler // of --addr
	admin   http.Handler // of --admin-addr

	open    atomic.Int64 // requests
	running sync.WaitGroup
	stop    context.CancelFunc
}

// generate makes a generation of the settings. With create, it creates a missing
// database and a missing secret.
func (c *serveCommand) generate(a *app, s *serving, create bool) (*generation, error) {
	c.passkeyDefaults(c.baseOf(s.listener))
	c.resourceDefaults()
	g := &generation{command: c, metrics: newMetrics(), stop: func() {}}
	with := *a
	with.metrics = g.metrics
	var err error
	if g.gate, g.db, err = c.gate(&with, a.log, create); err != nil {
		return nil, err
	}
	if err := g.assemble(&with, s); err != nil {
		_ = g.db.Close()
		return nil, err
	}
	return g, nil
}

// assemble makes what handles the requests and sends the e-mails.
func (g *generation) assemble(a *app, s *serving) (err error) {
	c := g.command
	if err := g.gate.Factors().Passkeys().CheckRPID(a.ctx); err != nil {
		return err
	}
	if err := c.acceptAuthTokens(a.ctx, g.gate); err != nil {
		return err
	}
	if g.own, err = c.newOwnHandler(g.gate); err != nil {
		return err
	}
	if g.handler, err = c.front(g.own, g.gate, &c.requestFlags); err != nil {
		return err
	}
	g.handler = g.metrics.Wrap(g.handler, g.own.prefixes()...)
	if c.AccessLog {
		g.handler = logAccess(g.gate.Settings().Logger, g.handler)
	}
	g.admin = c.adminHandler(g.own)
	g.sender, err = c.mailFlags.sender(a, g.gate, g.db.Outbox(), cmp.Or(c.BaseURL, c.browserBase(s.listener)), a.log)
	if err != nil {
		return err
	}
	g.own.emails.Sender = g.sender
	if g.hooks, err = c.newWebhooks(g.gate); err != nil {
		return err
	}
	return g.gate.Sync(a.ctx)
}

// start begins the work in the background, which ends with the generation or when
// background is done.
func (g *generation) start(background context.Context) {
	background, g.stop = context.WithCancel(background)
	if g.own.rates != nil { // immediately: until then it counts nothing
		g.running.Go(func() { _ = g.own.rates.Run(background) })
	}
	tasks := []func(context.Context) error{g.gate.Run, g.sender.Run}
	if g.command.Webhooks == "on" {
		tasks = append(tasks, g.hooks.Run)
	}
	if g.own.keys != nil {
		tasks = append(tasks, g.own.keys.Run)
	}
	if g.own.admin != nil {
		tasks = append(tasks, g.own.admin.Run)
	}
	for i, run := range tasks {
		g.running.Go(func() {
			phase(background, i)
			_ = run(background)
		})
	}
}

// phase lets a task begin somewhat later than the one before it. They read the database
// every second or two: at the same moment, each would need a connection of its own.
func phase(background context.Context, i int) {
	select {
	case <-background.Done():
	case <-time.After(time.Duration(i) * 70 * time.Millisecond):
	}
}

// end ends the work in the background after the last request, and closes the
// database.
func (g *generation) end() {
	g.stop()
	g.running.Wait()
	_ = g.db.Close()
}

// finish waits for the requests in progress, until none of them needs the database
// any more: only a connection that is passed to the upstream outlasts
// --request-timeout.
func (g *generation) finish() {
	const pause = 10 * time.Millisecond
	for wait := time.Duration(0); g.open.Load() > 0 && wait < g.command.RequestTimeout; wait += pause {
		time.Sleep(pause)
	}
}

// enter counts a request and returns the generation that handles it, which must
// have its open decreased afterwards.
func (s *serving) enter() *generation {
	for {
		g := s.generation.Load()
		g.open.Add(1)
		if s.generation.Load() == g {
			return g
		}
		g.open.Add(-1) // replaced in the meantime: finish may have seen no request
	}
}

// current returns a handler that passes requests to one of the current generation's,
// or responds with 404 if that has none.
func (s *serving) current(of func(g *generation) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := s.enter()
		defer g.open.Add(-1)
		handler := of(g)
		if handler == nil {
			jotgate.ErrNotFound.Respond(w, "")
			return
		}
		handler.ServeHTTP(w, r)
	})
}

// endAll ends all generations.
func (s *serving) endAll() {
	s.former.Wait()
	s.generation.Load().end()
}
