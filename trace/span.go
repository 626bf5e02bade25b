package trace

import (
	"context"
	"log/slog"
)

// Tracer records spans. An implementation must be safe for concurrent use.
type Tracer interface {
	// Start begins a span whose parent is the current span of ctx, and returns a
	// context in which the new span is the current one.
	Start(ctx context.Context, kind Kind, name string, attributes ...slog.Attr) (context.Context, Span)
}

// Span is an operation in a trace, with its beginning and its end. Its names and values
// are those of OpenTelemetry's semantic conventions or begin with "jotgate.". None of
// them is a secret, a user's name, an address, or another value that a client chooses.
// Only one goroutine at a time may call the methods of a Span.
type Span interface {
	// IDs returns the ids of the trace and of the span, in hexadecimal digits.
	IDs() (trace, span string)
	// Rename changes the name: that of a request is known only after its route is.
	Rename(name string)
	// Set adds attributes.
	Set(attributes ...slog.Attr)
	// Event records that something happened now.
	Event(name string)
	// End ends the span. errorType is the kind of the error with which the
	// operation failed, such as a status ("503"); it is empty after a success.
	End(errorType string)
}

// Kind is the role of a span in a communication. The zero Kind is Internal.
type Kind int

// The kinds.
const (
	Internal Kind = iota // an operation within this program
	Server               // the processing of a request from a client
	Client               // a request to another server
)

type tracerKey struct{}

// WithTracer returns a context whose spans t records. If t is nil, no span is recorded.
func WithTracer(ctx context.Context, t Tracer) context.Context {
	return context.WithValue(ctx, tracerKey{}, t)
}

// TracerOf returns the Tracer of a context, or nil.
func TracerOf(ctx context.Context) Tracer {
	t, _ := ctx.Value(tracerKey{}).(Tracer)
	return t
}

// Start begins a span with the Tracer of ctx. The caller passes the returned context to
// the parts of the operation, and calls Span.End when the operation ends. The Span is
// never nil; without a Tracer its methods do nothing.
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
