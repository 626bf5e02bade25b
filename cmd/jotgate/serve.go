package main

// `serve`: listens, opens the database, serves until a signal arrives, and
// finishes the requests in progress (drain.go). serve_flags.go has its
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
	return `In an empty folder it needs no flags: it makes jotgate.db and jotgate.secret,
creates the tables, listens on 127.0.0.1:8000 and says what to try.

    jotgate serve --demo
    jotgate serve --addr :8000 --database postgres://app@db/app --secret-key-file /run/secrets/key

Each setting is also an environment variable, in brackets below, and a line in
jotgate.yaml under the flag's name; a flag counts before the variable, and that
before the file:

    database: postgres://app@db/app
    access-token-lifetime: 10m
    refresh-token-lifetime: 30d
    header-types: [Bearer, Token]
    rate:
      login: 30/min

Every command reads that file alike. jotgate doctor checks all of it.

SIGTERM and Ctrl-C: no new connections, requests in hand are finished, then the
program ends with 0.`
}

// Run serves until the context is done.
func (c *serveCommand) Run(a *app) error {
	defer heapFloor()()
	c.PrintEmails = c.PrintEmails || c.Demo
	log, err := c.logger(a.stderr)
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
	gate, db, err := c.gate(a, log, true)
	if err != nil {
		return err
	}
	defer db.Close()
	own, err := c.newOwnHandler(gate)
	if err != nil {
		return err
	}
	handler, err := c.front(own, gate, &c.requestFlags)
	if err != nil {
		return err
	}
	front := cmp.Or(c.BaseURL, c.baseOf(listener))
	sender, err := c.mailFlags.sender(a, gate, db.Outbox(), front, log)
	if err != nil {
		return err
	}
	return c.serve(a, listener, handler, gate, db, sender)
}

// serve handles requests; the gate's background work ends after the last one.
func (c *serveCommand) serve(a *app, listener net.Listener, handler http.Handler, gate *jotgate.Gate, db *store.Store, sender *mail.Sender) error {
	beside, stop := context.WithCancel(context.WithoutCancel(a.ctx))
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	if err := gate.Sync(a.ctx); err != nil {
		return err
	}
	running.Go(func() { _ = gate.Run(beside) })
	running.Go(func() { _ = sender.Run(beside) })
	running.Go(func() { keepSlim(beside) })
	parting := &parting{next: handler, prefix: strings.TrimRight(c.Prefix, "/")}
	server := api.Server("", parting)
	server.ConnState = parting.count
	server.ErrorLog = slog.NewLogLogger(gate.Settings().Logger.Handler(), slog.LevelWarn)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	if err := c.welcome(a, listener, gate, db); err != nil {
		return errors.Join(err, server.Close())
	}
	c.reportReady(a, listener, gate)
	select {
	case err := <-ended:
		return fmt.Errorf("serving stopped: %w", err)
	case <-a.ctx.Done():
		return c.drain(a, server, listener, parting, ended)
	}
}

// logger returns the logger for messages to the operator.
func (c *serverFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, usage("--log-level: %w", err)
	}
	options := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return slog.New(slog.NewTextHandler(w, options)), nil
}
