package web

// Request bodies: read within limits, and never waited for without end.

import (
	"net/http"
	"time"

	"github.com/jotgate/jotgate/internal/form"
)

// Body reads a JSON or form body within Settings.MaxBody and
// Settings.BodyTimeout. The error is a *jotgate.Error.
func (s *Shell) Body(w http.ResponseWriter, r *http.Request) (*form.Body, error) {
	raw, err := s.ReadBody(w, r)
	if err != nil {
		return nil, err
	}
	return form.Parse(r.Header, raw)
}

// ReadBody is Body without decoding.
func (s *Shell) ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A ResponseWriter without deadlines keeps the server's own deadline.
	deadlines := http.NewResponseController(w)
	_ = deadlines.SetReadDeadline(time.Now().Add(s.settings.BodyTimeout))
	raw, err := form.Read(w, r, s.settings.MaxBody)
	if err != nil {
		w.Header().Set("Connection", "close") // or net/http would wait for the rest
		return nil, err
	}
	// Kept, the deadline would look like a client that has left.
	_ = deadlines.SetReadDeadline(time.Time{})
	return raw, nil
}

// EndChunked closes the connection after the response to a request with a
// chunked body. A Content-Length may have been sent beside it, which net/http
// ignores; a client that sends both may be smuggling a request past an upstream
// server (RFC 9112 section 6.1).
func EndChunked(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 {
		w.Header().Set("Connection", "close")
	}
}

// LimitUnread limits how long net/http waits for a body that no handler reads.
// Before it sends the response it reads what is left, up to 256 KiB, to find the
// next request; without a limit, a client that announces a body and never sends
// it would never get its response. net/http lifts the limit at the body's end.
// HTTP/2 needs none.
func LimitUnread(w http.ResponseWriter, r *http.Request, limit time.Duration) {
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(limit))
	}
}
