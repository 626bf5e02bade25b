// Package trace adds the ids of a request to the log lines that it causes: the request
// id, which the response has too, and the ids of a distributed trace (W3C Trace
// Context).
//
// There are two calls: [Handler] wraps the log's handler once, and [With] puts the ids
// into the context of each request. The command jotgate makes both calls; a program that
// uses package api makes them itself, before it calls the handler of the API:
//
//	log := slog.New(trace.Handler(handler))
//
//	ctx := trace.With(r.Context(), trace.Of(r, id))
//	log.InfoContext(ctx, "…") // request=… trace_id=… span_id=…
//
// The trace id may come from the client (the header traceparent), so it serves to find
// log lines and must not be used as a secret or as a proof.
//
// # Spans
//
// A program connects a tracer with [Wrap], or with [WithTracer] for work outside of
// requests. jotgate starts spans with [Start], which the [Tracer] of the context records;
// without a Tracer nothing is recorded. The module github.com/jotgate/jotgate/oteljotgate
// has a Tracer for OpenTelemetry.
package trace

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
)

// Trace has the ids of a request.
type Trace struct {
	Request string // the request id; if it is empty, log lines do not have it
	ID      string // the trace id: 32 hexadecimal digits
	Span    string // the id of this server's part of the trace: 16 hexadecimal digits
}

// Of returns the Trace of a request with the request id. If the context of r has a
// Trace, as after [Wrap], the result has its trace id and span id. Otherwise the trace
// id is that of the header traceparent (W3C Trace Context, section 3.2), or a random one
// if there is no valid header, and the span id is random.
func Of(r *http.Request, id string) Trace {
	if t, ok := From(r.Context()); ok {
		t.Request = id
		return t
	}
	both := random(24)
	t := Trace{Request: id, Span: both[:16], ID: both[16:]}
	if values := r.Header["Traceparent"]; len(values) == 1 {
		if parent := parse(values[0]); parent != "" {
			t.ID = parent
		}
	}
	return t
}

// parse returns the trace id of a traceparent (W3C Trace Context, section 3.2), or
// "". Higher versions may have further fields; the version ff is forbidden.
func parse(text string) string {
	if len(text) < 55 || len(text) > 512 || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return ""
	}
	version, id, parent, flags := text[:2], text[3:35], text[36:52], text[53:55]
	switch {
	case !isHex(version + id + parent + flags), version == "ff",
		version == "00" && len(text) != 55, len(text) > 55 && text[55] != '-',
		strings.Trim(id, "0") == "", strings.Trim(parent, "0") == "":
		return ""
	}
	return id
}

// isHex reports whether the text consists of lower-case hexadecimal digits.
func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

type contextKey struct{}

// With returns a context with the Trace, whose ids [Handler] adds to log lines.
func With(ctx context.Context, t Trace) context.Context {
	return context.WithValue(ctx, contextKey{}, t)
}

// From returns the Trace of a context, and false if there is none.
func From(ctx context.Context) (Trace, bool) {
	t, ok := ctx.Value(contextKey{}).(Trace)
	return t, ok
}

// Handler returns a handler that adds the ids in the context to each log line, as the
// attributes request, trace_id and span_id, and passes the line to next. If next is
// already such a handler, Handler returns next.
func Handler(next slog.Handler) slog.Handler {
	if h, ok := next.(handler); ok {
		return h
	}
	return handler{next}
}

type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, line slog.Record) error {
	if t, ok := From(ctx); ok {
		line = line.Clone()
		if t.Request != "" {
			line.AddAttrs(slog.String("request", t.Request))
		}
		line.AddAttrs(slog.String("trace_id", t.ID), slog.String("span_id", t.Span))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
