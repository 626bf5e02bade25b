package main

// serve --access-log.

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/trace"
)

// logAccess logs a line for each request that next handles. The line has the route
// and not the path, which may contain a link's token, no query, no header and no
// address.
func logAccess(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := &metrics.Response{ResponseWriter: w}
		t := trace.Of(r, "")
		r = r.WithContext(trace.With(r.Context(), t))
		defer func() {
			t.Request = w.Header().Get(web.RequestID)
			log.InfoContext(trace.With(r.Context(), t), "request", "method", methodShown(r.Method), "route", metrics.Route(r, seen.Status()),
				"status", seen.Status(), "duration", time.Since(began))
		}()
		next.ServeHTTP(seen, r)
	})
}

// methodShown returns a method that a client may have made up only if it is a usual
// one.
func methodShown(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
