package main

// What serve does before it is ready: it already listens and responds, while
// it waits for the database, migrates it, or waits for another node that does.
// /livez responds with 200 and /readyz with 503, whose body says what the node
// waits for. Requests for other paths are held for the first two seconds, in which
// a usual start ends, and get 503 after that.

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
	ready  chan struct{} // closed when next is set
	next   http.Handler
	long   chan struct{} // closed after startupHold
}

// startupHold is how long, from the start, requests are held instead of getting
// 503: no client of a node that restarts sees an error.
const startupHold = 2 * time.Second

func newStartup(prefix string) *startup {
	s := &startup{prefix: prefix, ready: make(chan struct{}), long: make(chan struct{})}
	time.AfterFunc(startupHold, func() { close(s.long) })
	s.progress("starting")
	return s
}

// finish hands this request and all later ones to next. It is called once.
func (s *startup) finish(next http.Handler) {
	s.next = next
	close(s.ready)
}

// progress notes what the node is doing, in words that may be public.
func (s *startup) progress(doing string) { s.doing.Store(&doing) }

// ServeHTTP implements http.Handler.
func (s *startup) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
		s.next.ServeHTTP(w, r)
		return
	default:
	}
	switch strings.TrimPrefix(r.URL.Path, s.prefix) {
	case "/livez":
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte("ok\n"))
	case "/readyz":
		jotgate.NotReady(*s.doing.Load(), nil).Respond(w, "")
	default:
		s.hold(w, r)
	}
}

// hold waits until the server is ready or startupHold has passed.
func (s *startup) hold(w http.ResponseWriter, r *http.Request) {
	select {
	case <-s.ready:
		s.next.ServeHTTP(w, r)
	case <-r.Context().Done():
	case <-s.long:
		jotgate.ErrUnavailable.Respond(w, "")
	}
}

// The pauses between attempts to reach a database that is not there.
const (
	shortestPause = 50 * time.Millisecond
	longestPause  = time.Second
	reportEvery   = 10 * time.Second
)

// openPersistently calls open until it succeeds or its error is not temporary, for
// StartupTimeout at most. It logs immediately what it waits for, and again
// every ten seconds. It does not wait for a SQLite file, whose writers are
// waited for in any case.
func (f *databaseFlags) openPersistently(a *app, open func() (*store.Store, error)) (*store.Store, error) {
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
