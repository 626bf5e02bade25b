// Package web is the HTTP layer that api shares with pages and any other
// handler of this module: what surrounds an endpoint, and nothing about what
// the endpoint does.
//
//	shell, err := web.New(gate, web.Settings{Rates: map[string]string{"page": "60/min"}})
//	web.Handle(mux, "/hello/", shell.Wrap(web.Endpoint{Scope: "page"}, hello))
//
// Wrap gives an endpoint a request id, security headers, the check of the Host
// header, CORS if the endpoint asks for it, deadlines, a rate limit and recovery
// from panics. The other methods are what a handler calls itself: Client, Limit,
// Lockout, Body, CheckOrigin and Fail.
package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/lockout"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/trace"
)

// RequestID is the response header that names a request; logs name it too.
const RequestID = "X-Request-Id"

// Shell is the HTTP layer around the endpoints of one gate. Make it with New
// and share it: rates and lockouts count per Shell. Safe for concurrent use.
type Shell struct {
	gate     *jotgate.Gate
	settings Settings
	limiters map[string]*throttle.Limiter // by scope
	proxies  throttle.Proxies
	lockout  *lockout.Lockout
	origins  *http.CrossOriginProtection
	own      *http.CrossOriginProtection // trusts BaseURL only
	cors     *CORS
	public   *url.URL    // Settings.BaseURL; nil without it
	warned   atomic.Bool // about a forwarded address that is not trusted
	refused  unlisted
}

// New returns a Shell, or an error that names the setting at fault.
func New(gate *jotgate.Gate, s Settings) (*Shell, error) {
	if err := s.fill(); err != nil {
		return nil, err
	}
	shell := &Shell{gate: gate, settings: s, lockout: lockout.New(gate, s.Lockout)}
	var err error
	if shell.public, err = s.publicURL(); err != nil {
		return nil, err
	}
	s.CORS.Headers = append(slices.Clone(s.CORS.Headers), gate.Header().Name) // pages must be able to send the token
	if shell.cors, err = NewCORS(s.CORS); err != nil {
		return nil, err
	}
	if shell.limiters, err = newLimiters(s.Rates, gate.Settings().Now); err != nil {
		return nil, err
	}
	if shell.proxies, err = newProxies(s); err != nil {
		return nil, err
	}
	if shell.own, err = newOrigins(&s, nil); err != nil {
		return nil, err
	}
	shell.origins, err = newOrigins(&s, s.CORS.Origins)
	return shell, err
}

// CORS returns the Shell's CORS, for handlers around it; nil without origins.
func (s *Shell) CORS() *CORS { return s.cors }

func (s *Shell) logger() *slog.Logger { return s.gate.Settings().Logger }

// Endpoint says what Wrap gives an endpoint. The zero value is the strictest:
// one origin, listed hosts, no scripts, styles or frames.
type Endpoint struct {
	Allow   string            // the Allow header; empty: none
	Scope   string            // the scope of Settings.Rates that limits a network; empty: none
	CORS    bool              // pages of Settings.CORS may call the endpoint
	AnyHost bool              // do not check the Host header: it makes no link and sets no cookie, and probes and gateways send another
	Headers func(http.Header) // changes the headers of every response of the endpoint; nil: none
	// Render writes a response of the Shell's own: a wrong host, too many
	// requests, a panic. nil: JSON, as every endpoint of api has it.
	Render func(http.ResponseWriter, *http.Request, *jotgate.Error)
}

// Wrap surrounds an endpoint with everything a request needs before it. The
// handler has Settings.Timeout in all; its context ends then.
func (s *Shell) Wrap(e Endpoint, next http.Handler) http.Handler {
	inner := s.guarded(e, next)
	if e.CORS {
		inner = s.cors.Wrap(inner)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		ctx, cancel := context.WithTimeout(trace.With(r.Context(), trace.Of(r, id)), s.settings.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
		e.setHeaders(w.Header(), id)
		r = s.speak(w, r)
		EndChunked(w, r)
		LimitUnread(w, r, s.settings.BodyTimeout)
		defer s.recover(w, r, e, id)
		s.warnUntrusted(r)
		if e.CORS {
			s.warnUnlisted(r)
		}
		done := s.limitWrite(w)
		inner.ServeHTTP(w, r)
		done() // not deferred: a panic is still to be responded to
	})
}

// limitWrite disconnects clients that do not read the response, but gives slow
// senders time to receive their 408 first. The deadline must not outlive the
// response, since another handler may be next on the connection: call done.
func (s *Shell) limitWrite(w http.ResponseWriter) (done func()) {
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetWriteDeadline(time.Now().Add(s.settings.BodyTimeout + 2*s.settings.Timeout))
	return func() {
		_ = deadlines.Flush()
		_ = deadlines.SetWriteDeadline(time.Time{})
	}
}

// guarded checks the host and the rate.
func (s *Shell) guarded(e Endpoint, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !e.AnyHost && !s.hostAllowed(r.Host) {
			s.render(w, r, e, errHost)
			return
		}
		if e.Scope != "" {
			client, network := s.Client(r)
			if err := s.Limit(network, e.Scope); err != nil {
				s.gate.Events().RecordRefusal(r.Context(), err, "", client)
				s.render(w, r, e, jotgate.AsError(err))
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// WrapFast is Wrap for an endpoint that responds from memory: it waits for
// nothing, so it has no time limit, and an operator never looks up a success, so
// only an error has a request id. A gateway calls such an endpoint for every request, so its cost
// counts: a successful response has only the headers that act sets; an error,
// which a gateway passes on to the client, has those of every endpoint. net/http
// resets the write deadline when the response is complete, without a flush.
func (s *Shell) WrapFast(e Endpoint, act func(http.ResponseWriter, *http.Request) (*jotgate.User, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recover(w, r, e, "")
		EndChunked(w, r)
		LimitUnread(w, r, s.settings.BodyTimeout)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * s.settings.Timeout))
		if e.CORS {
			if s.cors.Lists(r) && IsPreflight(r) {
				e.setHeaders(w.Header(), "")
				s.cors.Preflight(w, r)
				return
			}
			s.warnUnlisted(r)
			s.cors.SetHeaders(w.Header(), r)
		}
		var user *jotgate.User
		err := error(errHost)
		if e.AnyHost || s.hostAllowed(r.Host) {
			user, err = act(w, r)
		}
		if err != nil {
			client, _ := s.Client(r)
			id := rand.Text()
			s.gate.Events().RecordRefusalOf(trace.With(r.Context(), trace.Of(r, id)), user, err, client)
			e.setHeaders(w.Header(), id)
			s.Respond(w, s.speak(w, r), jotgate.AsError(err), s.gate.Header().Challenge)
		}
	})
}

// The values of headers that every response has. They are shared: no handler may change
// an element of them, and one that adds a value gets a copy.
var (
	noSniff    = []string{"nosniff"}
	sameOrigin = []string{"same-origin"}
	nothing    = []string{"default-src 'none'; frame-ancestors 'none'"}
	noStore    = []string{"no-store"}
)

// setHeaders sets the headers of every response. The first three are those of
// Django's SecurityMiddleware.
func (e *Endpoint) setHeaders(h http.Header, id string) {
	h["X-Content-Type-Options"] = noSniff
	h["Referrer-Policy"] = sameOrigin
	h["Cross-Origin-Opener-Policy"] = sameOrigin
	h["Content-Security-Policy"] = nothing
	h["Cache-Control"] = noStore
	if id != "" {
		h.Set(RequestID, id)
	}
	if e.Allow != "" {
		h.Set("Allow", e.Allow)
	}
	if e.Headers != nil {
		e.Headers(h)
	}
}

func (s *Shell) render(w http.ResponseWriter, r *http.Request, e Endpoint, err *jotgate.Error) {
	if e.Render != nil {
		e.Render(w, r, err)
		return
	}
	s.Respond(w, r, err, "")
}

// recover turns a panic, which is a bug of jotgate, into 503. The operator
// reads the stack; the client learns nothing.
func (s *Shell) recover(w http.ResponseWriter, r *http.Request, e Endpoint, id string) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	s.logger().ErrorContext(r.Context(), "panic", "route", r.Pattern, "fault", fault, "stack", string(debug.Stack()))
	e.setHeaders(w.Header(), id)
	s.render(w, r, e, jotgate.ErrUnavailable)
}

// Fail logs an error of status 500 and above, unless the client has left, and
// responds with it: by render, or as JSON if render is nil.
func (s *Shell) Fail(w http.ResponseWriter, r *http.Request, err error, render func(http.ResponseWriter, *http.Request, *jotgate.Error)) {
	e := jotgate.AsError(err)
	if e.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.logger().ErrorContext(r.Context(), "request failed",
			"route", r.Pattern, "status", e.Status, "cause", err)
	}
	if render != nil {
		render(w, r, e)
		return
	}
	s.Respond(w, r, e, s.gate.Header().Challenge)
}
