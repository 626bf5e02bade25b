package trace

import (
	"context"
	"log/slog"
)

// Tracer records spans. It is safe for concurrent use.
type Tracer interface {
	// Start begins a span below the current one of ctx, and returns the context
	// in which it is the current one.
	Start(ctx context.Context, kind Kind, name string, attributes ...slog.Attr) (context.Context, Span)
}

// Span is an operation that takes time. Its names and values are those of the
// semantic conventions of OpenTelemetry or begin with "jotgate.". None of them is a
// secret, a user's name, an address, or anything else that a client chooses. The
// methods may be called by one goroutine at a time.
type Span interface {
	// IDs returns the ids of the trace and of the span, in hexadecimal digits.
	IDs() (trace, span string)
	// Rename changes the name, which a request has only when it is routed.
	Rename(name string)
	// Set adds attributes.
	Set(attributes ...slog.Attr)
	// Event records that something happened now.
	Event(name string)
	// End ends the span. errorType is the kind of the error with which the
	// operation failed, and empty if it succeeded.
	End(errorType string)
}

// Kind says on which side of a communication a span is.
type Kind int

// The kinds.
const (
	Internal Kind = iota // no communication
	Server               // of a request from a client
	Client               // of a request to another server
)

type tracerKey struct{}

// WithTracer returns a context whose spans are recorded by t. With nil, none are.
func WithTracer(ctx context.Context, t Tracer) context.Context {
	return context.WithValue(ctx, tracerKey{}, t)
}

// TracerOf returns the Tracer of a context, or nil.
func TracerOf(ctx context.Context) Tracer {
	t, _ := ctx.Value(tracerKey{}).(Tracer)
	return t
}

// Start begins a span. The context and the Span are to be used until the operation
// ends, also if nothing is recorded.
func Start(ctx context.Context, kind Kind, name string, attributes ...slog.Attr) (context.Context, Span) {
	if t := TracerOf(ctx); t != nil {
		return t.Start(ctx, kind, name, attributes...)
	}
	return ctx, unrecorded{}
}

// unrecorded is the Span of a context without a Tracer.
type unrecorded struct{}

func (unrecorded) IDs() (trace, span string) { return "", "" }
func (unrecorded) Rename(string)             {}
func (unrecorded) Set(...slog.Attr)          {}
func (unrecorded) Event(string)              {}
func (unrecorded) End(string)                {}
