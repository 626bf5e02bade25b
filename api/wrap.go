package api

// What stands around every endpoint: request ids, headers, hosts, origins,
// time limits, and the last resort when something panics.

import (
	"context"
	"crypto/rand"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/proxy"
)

// requestID is the header that names a request in answers and logs.
const requestID = "X-Request-Id"

// wrap is the road from the mux to an endpoint.
func (a *API) wrap(route *route, next http.Handler) http.Handler {
	limited := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), a.settings.Timeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
	inner := a.settings.cors(a.hosts(limited))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		a.headers(w.Header(), route, id)
		proxy.EndChunked(w, r)
		proxy.LimitUnread(w, r, a.settings.BodyTimeout)
		defer a.recover(w, r, id)
		a.warn(r)
		// Who does not read the answer is let go, but not before one who sends
		// slowly was told so. The deadline must not outlive the answer: the
		// connection may serve somebody else's handler next.
		deadlines := http.NewResponseController(w)
		_ = deadlines.SetWriteDeadline(time.Now().Add(a.settings.BodyTimeout + 2*a.settings.Timeout))
		inner.ServeHTTP(w, r)
		_ = deadlines.Flush()
		_ = deadlines.SetWriteDeadline(time.Time{})
	})
}

// light is wrap for an endpoint that answers from memory at once: there is
// nothing to wait for, so it needs no time limit, and nothing that an operator
// would look up, so no request id. A gateway asks it for every request, so what
// it costs counts: a good answer has the headers that the endpoint sets and no
// others, a refusal, which a gateway hands on to the client, has those of every
// endpoint. The deadline for who does not read is taken back by net/http once
// the answer is out, without a flush.
func (a *API) light(route *route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer a.recover(w, r, "")
		proxy.EndChunked(w, r)
		proxy.LimitUnread(w, r, a.settings.BodyTimeout)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * a.settings.Timeout))
		err := error(errHost)
		if a.settings.hostAllowed(r.Host) {
			err = route.light(a, w, r)
		}
		if err != nil {
			a.headers(w.Header(), route, "")
			jotgate.AsError(err).Respond(w, a.gate.Challenge())
		}
	})
}

// errHost is the answer for a host that is not ours.
var errHost = &jotgate.Error{Status: http.StatusBadRequest, Detail: "Invalid Host header."}

// hosts refuses requests for a host that is not ours.
func (a *API) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.settings.hostAllowed(r.Host) {
			errHost.Respond(w, "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// headers are on every answer. The first three are Django's SecurityMiddleware's.
func (a *API) headers(h http.Header, route *route, id string) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	if id != "" {
		h.Set(requestID, id)
	}
	if allow := route.allow(); allow != "" {
		h.Set("Allow", allow)
	}
}

// recover turns a panic into 503. It is a fault of ours that nobody foresaw;
// the operator reads where it was, the client learns nothing.
func (a *API) recover(w http.ResponseWriter, r *http.Request, id string) {
	fault := recover()
	if fault == nil {
		return
	}
	if fault == http.ErrAbortHandler {
		panic(fault)
	}
	a.log(r.Context(), "panic", "request", id, "path", r.URL.Path, "fault", fault, "stack", string(debug.Stack()))
	a.headers(w.Header(), &route{}, id)
	jotgate.ErrUnavailable.Respond(w, "")
}

func (a *API) log(ctx context.Context, message string, args ...any) {
	a.gate.Settings().Logger.ErrorContext(ctx, message, args...)
}

// warnings are said once.
type warnings struct{ forwarded atomic.Bool }

// warn says that a forwarded address is not believed: a proxy is missing from
// TrustedProxies, or somebody tries to forge.
func (a *API) warn(r *http.Request) {
	if a.warned.forwarded.Load() {
		return
	}
	if header := a.proxies.Ignored(r); header != "" && a.warned.forwarded.CompareAndSwap(false, true) {
		a.gate.Settings().Logger.WarnContext(r.Context(), "a forwarded client address is ignored, since its sender is not among TrustedProxies",
			"header", header, "peer", r.RemoteAddr)
	}
}
