package main

// What serve does before it is ready: it already listens and responds, while
// it waits for the database, migrates it, or waits for another node that does.
// /livez responds with 200, and /readyz and every other path with 503; the body
// of /readyz says what the node waits for.

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// startup is the handler of a server that is starting.
type startup struct {
	prefix string // of the endpoints
	doing  atomic.Pointer[string]
	ready  atomic.Pointer[http.Handler]
}

func newStartup(prefix string) *startup {
	s := &startup{prefix: prefix}
	s.progress("starting")
	return s
}

// progress notes what the node is doing, in words that may be public.
func (s *startup) progress(doing string) { s.doing.Store(&doing) }

// ServeHTTP implements http.Handler.
func (s *startup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if next := s.ready.Load(); next != nil {
		(*next).ServeHTTP(w, r)
		return
	}
	switch strings.TrimPrefix(r.URL.Path, s.prefix) {
	case "/livez":
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte("ok\n"))
	case "/readyz":
		jotgate.NotReady(*s.doing.Load(), nil).Respond(w, "")
	default:
		jotgate.ErrUnavailable.Respond(w, "")
	}
}

// The pauses between attempts to reach a database that is not there.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = time.Second
	reportEvery   = 10 * time.Second
)

// patiently calls open until it succeeds or its error is not temporary, for
// StartupTimeout at most. It logs immediately what it waits for, and again
// every ten seconds. It does not wait for a SQLite file, whose writers are
// waited for in any case.
func (f *databaseFlags) patiently(a *app, open func() (*store.Store, error)) (*store.Store, error) {
	ctx, cancel := context.WithTimeout(a.ctx, max(f.StartupTimeout, time.Nanosecond))
	defer cancel()
	_, file := f.sqliteFile()
	w := &attempts{log: a.logger(), limit: f.StartupTimeout, began: time.Now(), pause: shortestPause}
	for {
		db, err := open()
		if err == nil || file || !errors.Is(err, jotgate.ErrUnavailable) || ctx.Err() != nil {
			return db, err
		}
		a.progress("waiting for the database")
		w.note(err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-w.next():
		}
	}
}

// attempts is a series of attempts.
type attempts struct {
	log           *slog.Logger
	limit, report time.Duration
	began         time.Time
	pause         time.Duration
}

// note logs why an attempt failed.
func (w *attempts) note(err error) {
	if waited := time.Since(w.began); waited >= w.report {
		w.report = waited + reportEvery
		w.log.Warn("waiting for the database", "cause", err, "waited", waited.Round(time.Second), "limit", w.limit)
	}
}

// next returns when to try again.
func (w *attempts) next() <-chan time.Time {
	w.pause = min(2*w.pause, longestPause)
	return time.After(w.pause)
}
