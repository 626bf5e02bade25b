package main

// `serve`: listens, opens the database (startup.go), serves until a signal
// arrives, and finishes the requests in progress (drain.go). serve_flags.go has its
// settings, generation.go what handles the requests, reload.go how SIGHUP replaces it,
// demo.go what --demo shows.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/alecthomas/kong"

	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/internal/stopping"
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
program ends with 0. SIGHUP: the settings are read again (docs/server.md).`
}

// Run serves until the context is done.
func (c *serveCommand) Run(a *app, line *kong.Context) error {
	given := valuesOf(line) // before defaults are filled in
	hangup, ignore := hangups(a.stderr)
	defer ignore()
	a.logLevel = new(slog.LevelVar)
	log, err := c.logger(a.stderr, a.logLevel)
	if err != nil {
		return err
	}
	if c.LogFormat == "json" {
		a.jsonLog = log
	}
	if err := c.prepare(a); err != nil {
		return err
	}
	listener, err := c.listen(a)
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := c.newServing(a, listener, log)
	if err != nil {
		return err
	}
	defer s.stopRedirect()
	if s.metrics, err = c.listenMetrics(a.ctx, s); err != nil {
		return c.giveUp(a, s, err)
	}
	g, err := c.generate(a, s, true)
	if err == nil {
		defer s.endAll()
		s.given = given
		s.generation.Store(g)
		s.admin, err = c.listenAdmin(a.ctx, s)
	}
	if err != nil {
		return c.giveUp(a, s, err)
	}
	return c.serve(a, s, hangup)
}

// prepare sets what follows from other settings, and checks all of them.
func (c *serveCommand) prepare(a *app) error {
	c.PrintEmails = c.PrintEmails || c.Demo
	return c.check(a)
}

// giveUp ends a server that did not become ready. If it was asked to
// stop, that is not an error.
func (c *serveCommand) giveUp(a *app, s *serving, err error) error {
	if a.ctx.Err() != nil {
		return c.drain(a, s)
	}
	return errors.Join(err, s.server.Close())
}

// serving is a server and its listeners, which stay while generations of what
// handles the requests follow each other.
type serving struct {
	server   *http.Server
	listener net.Listener
	startup  *startup
	drainer  *drainer
	ended    chan error // receives the result of Serve
	// stopRedirect ends --tls-redirect.
	stopRedirect func()
	admin        *sideServer
	metrics      *sideServer

	generation atomic.Pointer[generation]
	given      map[string]any // the settings as they were last read, by flag
	former     sync.WaitGroup // generations that finish their requests
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
	s.drainer = &drainer{next: s.startup, prefix: prefix, stops: make(chan struct{})}
	s.server = api.Server("", tls.wrap(s.drainer, c.HSTS))
	s.server.ConnState = s.drainer.count
	s.server.BaseContext = func(net.Listener) context.Context { return stopping.With(context.Background(), s.drainer.stops) }
	s.server.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	go func() { s.ended <- s.server.Serve(tls.listen(listener)) }()
	return s, nil
}

// serve does what a server does in addition to handling requests, until it is stopped.
// SIGHUP makes it read its settings again.
func (c *serveCommand) serve(a *app, s *serving, hangup <-chan os.Signal) error {
	background, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	s.generation.Load().start(background)
	for _, side := range []*sideServer{s.admin, s.metrics} {
		running.Go(func() { side.serve(background) })
	}
	running.Go(func() { trimMemory(background) })
	s.startup.finish(s.current(func(g *generation) http.Handler { return g.handler }))
	g := s.generation.Load()
	if err := c.welcome(a, s.listener, g.gate, g.db); err != nil {
		return errors.Join(err, s.server.Close())
	}
	c.reportReady(a, s.listener, g.gate)
	running.Go(func() { a.watchdog(background) })
	for {
		select {
		case err := <-s.ended:
			return fmt.Errorf("serving stopped: %w", err)
		case <-a.ctx.Done():
			return c.drain(a, s)
		case <-hangup:
			s.reload(a, background)
		}
	}
}

// logger returns the logger for messages to the operator; level becomes --log-level
// and may change later.
func (c *serverFlags) logger(w io.Writer, level *slog.LevelVar) (*slog.Logger, error) {
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usage("--log-level must be debug, info, warn or error, not %q", c.LogLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
