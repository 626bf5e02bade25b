package trace

import (
	"log/slog"
	"net/http"
	"slices"
	"strconv"

	"github.com/jotgate/jotgate/metrics"
)

// methods are those that a span is named after (RFC 9110, RFC 5789).
var methods = []string{
	http.MethodConnect, http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions,
	http.MethodPatch, http.MethodPost, http.MethodPut, http.MethodTrace,
}

// Wrap returns a handler that records a span for each request that next handles, with
// the attributes of OpenTelemetry's semantic conventions for HTTP servers. Log lines
// of the request have the span's ids. t must not be nil.
//
// The span contains the route, as [metrics.Registry.Wrap] determines it. It does not
// contain the path, which may have the token of a link, nor the query, headers or
// addresses.
func Wrap(t Tracer, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method, name := r.Method, r.Method
		if !slices.Contains(methods, method) {
			method, name = "_OTHER", "HTTP"
		}
		ctx, span := t.Start(WithTracer(r.Context(), t), Server, name, slog.String("http.request.method", method))
		of, _ := From(ctx)
		of.ID, of.Span = span.IDs()
		r = r.WithContext(With(ctx, of))
		seen := &metrics.Response{ResponseWriter: w}
		returned := false
		defer func() {
			if route := metrics.Route(r, seen.Status()); route != "other" {
				span.Rename(name + " " + route)
				span.Set(slog.String("http.route", route))
			}
			failed := ""
			if returned || seen.Sent() {
				span.Set(slog.Int("http.response.status_code", seen.Status()))
				if seen.Status() >= http.StatusInternalServerError {
					failed = strconv.Itoa(seen.Status())
				}
			}
			if !returned {
				failed = "aborted" // the handler panicked: net/http closes the connection
			}
			span.End(failed)
		}()
		next.ServeHTTP(seen, r)
		returned = true
	})
}
