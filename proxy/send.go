package proxy

import (
	"net/http"
	"time"

	"github.com/jotgate/jotgate/internal/web"
)

// outgoing is an answer on its way to a client, who may take so long for each
// piece of it. The limit holds only while something is being written, so an
// answer may last and be silent for any time.
//
// It has no ReadFrom, which would be one long write. Hijack is reached through
// Unwrap, and net/http takes the deadline off a connection that is hijacked.
type outgoing struct {
	http.ResponseWriter
	limit time.Duration
	late  time.Time     // when the deadline that stands passes
	r     *http.Request // as it came
	body  *incoming     // of the request, once it is passed on; nil if it has none
}

// Unwrap is for http.ResponseController.
func (o *outgoing) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader limits an informational status (1xx), which is sent at once; any
// other waits for what follows.
func (o *outgoing) WriteHeader(status int) {
	if status < http.StatusOK {
		o.begin()
		defer o.end()
	} else {
		o.last()
	}
	o.ResponseWriter.WriteHeader(status)
}

// last has the connection end after a request in chunks, and after an answer
// that comes before the whole of the body. Else net/http would hold the answer
// back until it has the rest. An HTTP/2 connection has other requests, and does
// not wait. ReverseProxy clears the header after each 1xx, so it is done here.
func (o *outgoing) last() {
	web.EndChunked(o, o.r)
	if o.body != nil && !o.body.isWhole() && o.r.ProtoMajor == 1 {
		o.Header().Set("Connection", "close")
	}
}

// Write limits a piece as far as it does not fit into net/http's buffers.
func (o *outgoing) Write(piece []byte) (int, error) {
	o.begin()
	n, err := o.ResponseWriter.Write(piece)
	o.end()
	return n, err
}

// FlushError limits the rest of the piece, or the header alone.
func (o *outgoing) FlushError() error {
	o.begin()
	err := http.NewResponseController(o.ResponseWriter).Flush()
	o.end()
	return err
}

// begin sets the deadline anew, unless nearly all of it is left: setting it
// takes a part of what a small answer costs.
func (o *outgoing) begin() {
	if now := time.Now(); o.late.Sub(now) < o.limit*9/10 {
		o.until(now.Add(o.limit))
	}
}

// finish leaves a deadline for what net/http sends after the handler, and takes it
// off then. It may wait for the rest of a body first.
func (o *outgoing) finish() {
	if o.r.ContentLength == 0 {
		o.begin()
	} else {
		o.until(time.Now().Add(2 * o.limit))
	}
}

// end takes the deadline off where it would act while there is nothing to write:
// it ends an answer over HTTP/2, and TLS may have something of its own to send.
func (o *outgoing) end() {
	if o.r.ProtoMajor != 1 || o.r.TLS != nil {
		o.until(time.Time{})
	}
}

// until sets a deadline. Not every ResponseWriter has one; then the server's
// own holds.
func (o *outgoing) until(late time.Time) {
	o.late = late
	_ = http.NewResponseController(o.ResponseWriter).SetWriteDeadline(late)
}
