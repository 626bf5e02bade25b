package trace_test

import (
	"log/slog"
	"net/http/httptest"
	"os"

	"github.com/jotgate/jotgate/trace"
)

// The log lines of a request have its ids.
func Example() {
	log := slog.New(trace.Handler(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: fixed})))

	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
	ctx := trace.With(r.Context(), trace.Of(r, "c2f1"))
	log.InfoContext(ctx, "order created")
	// Output: level=INFO msg="order created" request=c2f1 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=…
}

// fixed leaves out what differs each time.
func fixed(_ []string, a slog.Attr) slog.Attr {
	switch a.Key {
	case slog.TimeKey:
		return slog.Attr{}
	case "span_id":
		return slog.String("span_id", "…")
	}
	return a
}
