package main

// `serve`: listens, opens the database (startup.go), serves until a signal
// arrives, and finishes the requests in progress (drain.go). serve_flags.go has its
// settings, demo.go what --demo shows.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/store"
)

type serveCommand struct{ serveFlags }

// Help is shown below the usage line.
func (serveCommand) Help() string {
	return `In an empty folder it needs no flags: it creates jotgate.db and jotgate.secret,
creates the tables, listens on 127.0.0.1:8000 and prints what to try.

    jotgate serve --demo
    jotgate serve --addr :8000 --database postgres://app@db/app --secret-key-file /run/secrets/key

Each setting is also an environment variable, in brackets below, and a line in
jotgate.yaml under the flag's name; a flag overrides the variable, and that
overrides the file:

    database: postgres://app@db/app
    access-token-lifetime: 10m
    refresh-token-lifetime: 30d
    header-types: [Bearer, Token]
    rate:
      login: 30/min

Every command reads that file alike. jotgate doctor checks all of it.

SIGTERM and Ctrl-C: no new connections, open requests are finished, then the
program ends with 0.`
}

// Run serves until the context is done.
func (c *serveCommand) Run(a *app) error {
	defer heapFloor()()
	c.PrintEmails = c.PrintEmails || c.Demo
	a.logLevel = new(slog.LevelVar)
	log, err := c.logger(a.stderr, a.logLevel)
	if err != nil {
		return err
	}
	if c.LogFormat == "json" {
		a.jsonLog = log
	}
	if err := c.check(a); err != nil {
		return err
	}
	listener, err := c.listen(a)
	if err != nil {
		return err
	}
	defer listener.Close()
	c.passkeyDefaults(c.baseOf(listener))
	s, err := c.newServing(a, listener, log)
	if err != nil {
		return err
	}
	defer s.stopRedirect()
	a.metrics = newMetrics()
	if s.metrics, err = c.listenMetrics(a.ctx, a.metrics); err != nil {
		return c.giveUp(a, s, err)
	}
	gate, db, err := c.gate(a, log, true)
	if err != nil {
		return c.giveUp(a, s, err)
	}
	defer db.Close()
	sender, err := c.assemble(a, s, gate, db)
	if err != nil {
		return c.giveUp(a, s, err)
	}
	return c.serve(a, s, gate, db, sender)
}

// giveUp ends a server that did not become ready. That is no failure if it was
// told to stop.
func (c *serveCommand) giveUp(a *app, s *serving, err error) error {
	if a.ctx.Err() != nil {
		return c.drain(a, s)
	}
	return errors.Join(err, s.server.Close())
}

// serving is a server and its listener.
type serving struct {
	server   *http.Server
	listener net.Listener
	startup  *startup
	drainer  *drainer
	ended    chan error // receives the result of Serve
	handler  http.Handler
	// stopRedirect ends --tls-redirect.
	stopRedirect func()
	own          *ownHandler
	admin        *sideServer
	metrics      *sideServer
}

// newServing handles requests from now on: by s.startup, until that is ready.
func (c *serveCommand) newServing(a *app, listener net.Listener, log *slog.Logger) (*serving, error) {
	prefix := strings.TrimRight(c.Prefix, "/")
	s := &serving{listener: listener, startup: newStartup(prefix), ended: make(chan error, 1)}
	a.log, a.doing = log, s.startup.progress
	tls, err := c.newTLS(log)
	if err != nil {
		return nil, err
	}
	if s.stopRedirect, err = c.serveRedirect(a, tls); err != nil {
		return nil, err
	}
	s.drainer = &drainer{next: s.startup, prefix: prefix}
	s.server = api.Server("", tls.wrap(s.drainer, c.HSTS))
	s.server.ConnState = s.drainer.count
	s.server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	go func() { s.ended <- s.server.Serve(tls.listen(listener)) }()
	return s, nil
}

// assemble makes what handles the requests and sends the e-mails.
func (c *serveCommand) assemble(a *app, s *serving, gate *jotgate.Gate, db *store.Store) (*mail.Sender, error) {
	if err := gate.Factors().Passkeys().CheckRPID(a.ctx); err != nil {
		return nil, err
	}
	own, err := c.newOwnHandler(gate)
	if err != nil {
		return nil, err
	}
	if s.handler, err = c.front(own, gate, &c.requestFlags); err != nil {
		return nil, err
	}
	s.handler = a.metrics.Wrap(s.handler, own.prefixes()...)
	if c.AccessLog {
		s.handler = logAccess(gate.Settings().Logger, s.handler)
	}
	s.own = own
	if s.admin, err = c.listenAdmin(a.ctx, own); err != nil {
		return nil, err
	}
	sender, err := c.mailFlags.sender(a, gate, db.Outbox(), cmp.Or(c.BaseURL, c.browserBase(s.listener)), a.log)
	if err != nil {
		return nil, err
	}
	return sender, gate.Sync(a.ctx)
}

// serve does what a server does in addition to handling requests, until it is stopped;
// the gate's background work ends after the last request.
func (c *serveCommand) serve(a *app, s *serving, gate *jotgate.Gate, db *store.Store, sender *mail.Sender) error {
	background, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = gate.Run(background) })
	running.Go(func() { _ = sender.Run(background) })
	if s.own.keys != nil {
		running.Go(func() { _ = s.own.keys.Run(background) })
	}
	running.Go(func() { trimMemory(background) })
	running.Go(func() { s.metrics.serve(background) })
	if s.own.admin != nil {
		running.Go(func() { _ = s.own.admin.Run(background) })
		running.Go(func() { s.admin.serve(background) })
	}
	s.startup.finish(s.handler)
	if err := c.welcome(a, s.listener, gate, db); err != nil {
		return errors.Join(err, s.server.Close())
	}
	c.reportReady(a, s.listener, gate)
	running.Go(func() { a.watchdog(background) })
	select {
	case err := <-s.ended:
		return fmt.Errorf("serving stopped: %w", err)
	case <-a.ctx.Done():
		return c.drain(a, s)
	}
}

// logger returns the logger for messages to the operator; level becomes --log-level
// and may change later.
func (c *serverFlags) logger(w io.Writer, level *slog.LevelVar) (*slog.Logger, error) {
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usage("--log-level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
