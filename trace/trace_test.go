package trace

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// The valid cases are those of the specification; each other one differs in a point.
func TestTraceparent(t *testing.T) {
	const id, valid = "4bf92f3577b34da6a3ce929d0e0e4736", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for text, want := range map[string]string{
		valid: id, "cc" + valid[2:] + "-what-the-future": id, "cc" + valid[2:]: id,
		valid + "-more": "", "ff" + valid[2:]: "", "cc" + valid[2:] + ".x": "", "": "", valid[:54]: "",
		strings.ToUpper(valid): "", "00-00000000000000000000000000000000-00f067aa0ba902b7-01": "",
		"00-" + id + "-0000000000000000-01": "", "00-" + id + "_00f067aa0ba902b7-01": "", "00-" + id[:31] + "g-00f067aa0ba902b7-01": "",
		"cc" + valid[2:] + "-" + strings.Repeat("x", 600): "",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Traceparent", text)
		got := Of(r, "r")
		if (got.ID == id) != (want == id) || len(got.ID) != 32 || len(got.Span) != 16 || got.Span == "00f067aa0ba902b7" {
			t.Errorf("%q: %+v", text, got)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header["Traceparent"] = []string{valid, valid}
	if Of(r, "").ID == id {
		t.Error("a header that was sent twice is read")
	}
}

func TestHandler(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(Handler(Handler(slog.NewTextHandler(&b, nil)))).With("a", 1)
	ctx := With(t.Context(), Trace{"REQ", "TRACE", "SPAN"})
	log.InfoContext(ctx, "x")
	if got := b.String(); !strings.HasSuffix(got, "msg=x a=1 request=REQ trace_id=TRACE span_id=SPAN\n") {
		t.Error(got)
	}
	b.Reset()
	log.InfoContext(t.Context(), "x")
	if got := b.String(); !strings.HasSuffix(got, "msg=x a=1\n") {
		t.Error(got)
	}
}
