// Package oteljotgate records jotgate's spans with OpenTelemetry. The two calls to make
// are [New] and Tracer.Wrap; Tracer.Context is for work outside of requests:
//
//	tracer := oteljotgate.New(provider, nil) // provider is the program's TracerProvider
//	go sender.Run(tracer.Context(ctx))       // package mail: spans of the e-mails that are sent
//	endpoints, err := api.New(gate, api.Settings{})
//	err = api.Server("127.0.0.1:8000", tracer.Wrap(endpoints)).ListenAndServe()
//
// A login is then one trace: the request, the password with its time in the queue, the
// statements of its transaction, and the signature of the tokens. Log lines have the ids
// of the request's span.
//
// The nil propagator is the safe choice: it continues the trace of a client, but does not
// accept the client's baggage. Spans never have a username, address, token or path.
package oteljotgate

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/jotgate/jotgate/trace"
)

// scope is the instrumentation scope of the spans.
const scope = "github.com/jotgate/jotgate"

// Tracer implements trace.Tracer. Create it with New. It is safe for concurrent use.
type Tracer struct {
	tracer     oteltrace.Tracer
	propagator propagation.TextMapPropagator
}

// New returns a Tracer that records spans with the provider. The propagator reads from
// the headers of a request the trace that it belongs to. nil: W3C Trace Context, without
// baggage, because clients choose that.
func New(provider oteltrace.TracerProvider, propagator propagation.TextMapPropagator) *Tracer {
	if propagator == nil {
		propagator = propagation.TraceContext{}
	}
	return &Tracer{provider.Tracer(scope), propagator}
}

// Wrap returns a handler that records a span for each request that next handles
// (trace.Wrap), as a part of the trace that the headers name. Wrap all other handlers
// with it, also that of metrics.Registry.Wrap.
func (t *Tracer) Wrap(next http.Handler) http.Handler {
	next = trace.Wrap(t, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := t.propagator.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Context returns a context for calls of a Gate outside of requests: the spans of these
// calls are recorded, as children of the span of ctx if it has one.
func (t *Tracer) Context(ctx context.Context) context.Context { return trace.WithTracer(ctx, t) }

// kinds are the kinds of OpenTelemetry.
var kinds = map[trace.Kind]oteltrace.SpanKind{
	trace.Internal: oteltrace.SpanKindInternal, trace.Server: oteltrace.SpanKindServer, trace.Client: oteltrace.SpanKindClient,
}

// Start implements trace.Tracer.
func (t *Tracer) Start(ctx context.Context, kind trace.Kind, name string, attributes ...slog.Attr) (context.Context, trace.Span) {
	ctx, s := t.tracer.Start(ctx, name, oteltrace.WithSpanKind(kinds[kind]), oteltrace.WithAttributes(converted(attributes)...))
	return ctx, span{s}
}

// span implements trace.Span.
type span struct{ oteltrace.Span }

// IDs implements trace.Span.
func (s span) IDs() (traceID, spanID string) {
	c := s.SpanContext()
	return c.TraceID().String(), c.SpanID().String()
}

// Rename implements trace.Span.
func (s span) Rename(name string) { s.SetName(name) }

// Set implements trace.Span.
func (s span) Set(attributes ...slog.Attr) { s.SetAttributes(converted(attributes)...) }

// Event implements trace.Span.
func (s span) Event(name string) { s.AddEvent(name) }

// End implements trace.Span.
func (s span) End(errorType string) {
	if errorType != "" {
		s.SetAttributes(attribute.String("error.type", errorType))
		s.SetStatus(codes.Error, "")
	}
	s.Span.End()
}

// converted returns the attributes as those of OpenTelemetry.
func converted(attributes []slog.Attr) []attribute.KeyValue {
	list := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		switch a.Value.Kind() {
		case slog.KindInt64:
			list[i] = attribute.Int64(a.Key, a.Value.Int64())
		case slog.KindBool:
			list[i] = attribute.Bool(a.Key, a.Value.Bool())
		default:
			list[i] = attribute.String(a.Key, a.Value.String())
		}
	}
	return list
}
