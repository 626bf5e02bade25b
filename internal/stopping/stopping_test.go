package stopping

import (
	"context"
	"testing"
)

func TestDone(t *testing.T) {
	if Done(t.Context()) != nil {
		t.Error("a context without a server has a channel")
	}
	stops := make(chan struct{})
	ctx, cancel := context.WithCancel(With(t.Context(), stops))
	defer cancel()
	select {
	case <-Done(ctx):
		t.Error("closed before the server stops")
	default:
	}
	close(stops)
	<-Done(ctx)
	if ctx.Err() != nil {
		t.Error("the request has ended")
	}
}
