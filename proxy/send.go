package proxy

import (
	"net/http"
	"time"

	"github.com/jotgate/jotgate/internal/web"
)

// outgoing is a response whose client gets a fresh deadline (limit) for every
// write. The deadline is set only during a write, so a response may take any time
// in total and pause for any time.
//
// It has no ReadFrom, which would be one long write. Hijack is available through
// Unwrap, and net/http removes the deadline of a connection that is hijacked.
type outgoing struct {
	http.ResponseWriter
	limit time.Duration
	late  time.Time     // the current deadline
	r     *http.Request // as it was received
	body  *incoming     // of the request, once it is forwarded; nil if it has none
	pages *web.CORS     // whose pages may read the response
}

// Unwrap is for http.ResponseController.
func (o *outgoing) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader sets a deadline for an informational status (1xx), which net/http
// sends immediately. It buffers any other status until a later write. The upstream's
// 100 Continue is not sent: net/http sends one to a client that expects it, when
// the Transport begins to read the body, and the upstream may send its own later or to
// a client that does not expect it.
func (o *outgoing) WriteHeader(status int) {
	if status == http.StatusContinue {
		return
	}
	if status < http.StatusOK {
		o.begin()
		defer o.end()
	} else {
		o.last()
		o.pages.SetHeaders(o.Header(), o.r)
	}
	o.ResponseWriter.WriteHeader(status)
}

// last closes the connection after a request with a chunked body, and after a
// response that begins before the whole body was read. net/http would otherwise
// delay the response until it has read the rest. An HTTP/2 connection has other
// requests and does not wait. ReverseProxy clears the header after each 1xx, so the
// header is set here.
func (o *outgoing) last() {
	web.EndChunked(o, o.r)
	if o.body != nil && !o.body.isWhole() && o.r.ProtoMajor == 1 {
		o.Header().Set("Connection", "close")
	}
}

// Write writes a piece, with a deadline for what does not fit into net/http's
// buffers.
func (o *outgoing) Write(piece []byte) (int, error) {
	o.begin()
	n, err := o.ResponseWriter.Write(piece)
	o.end()
	return n, err
}

// FlushError sends what is buffered, with a deadline.
func (o *outgoing) FlushError() error {
	o.begin()
	err := http.NewResponseController(o.ResponseWriter).Flush()
	o.end()
	return err
}

// begin resets the deadline, unless at least 9/10 of it are left: setting it is a
// noticeable part of the cost of a small response.
func (o *outgoing) begin() {
	if now := time.Now(); o.late.Sub(now) < o.limit*9/10 {
		o.until(now.Add(o.limit))
	}
}

// finish sets a deadline for what net/http sends after the handler. net/http
// removes it afterwards. It may first wait for the rest of the request body.
func (o *outgoing) finish() {
	if o.r.ContentLength == 0 {
		o.begin()
	} else {
		o.until(time.Now().Add(2 * o.limit))
	}
}

// end removes the deadline if it could expire while nothing is being written: over
// HTTP/2 it would end the response, and TLS may send records by itself.
func (o *outgoing) end() {
	if o.r.ProtoMajor != 1 || o.r.TLS != nil {
		o.until(time.Time{})
	}
}

// until sets a deadline. If the ResponseWriter does not support deadlines, the
// server's WriteTimeout applies.
func (o *outgoing) until(late time.Time) {
	o.late = late
	_ = http.NewResponseController(o.ResponseWriter).SetWriteDeadline(late)
}
