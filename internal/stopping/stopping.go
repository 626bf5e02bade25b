// Package stopping lets handlers that wait for something end when their server stops, so
// that they do not hold it up:
//
//	server.BaseContext = func(net.Listener) context.Context { return stopping.With(ctx, stops) }
//	…
//	select {
//	case <-event:
//	case <-stopping.Done(r.Context()):
//	}
package stopping

import "context"

type key struct{}

// With returns a context for the requests of a server, which closes stops when it begins
// to stop. The requests themselves may go on.
func With(ctx context.Context, stops <-chan struct{}) context.Context {
	return context.WithValue(ctx, key{}, stops)
}

// Done returns the channel that is closed when the server of the request begins to stop.
// It is nil if the server does not say so.
func Done(ctx context.Context) <-chan struct{} {
	stops, _ := ctx.Value(key{}).(<-chan struct{})
	return stops
}
