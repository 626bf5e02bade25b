package proxy

import (
	"net/http"
	"time"
)

// outgoing is an answer on its way to a client, who may take so long for each
// piece of it. The limit holds only while something is being written, so an
// answer may last and be silent for any time: over HTTP/2 a deadline that
// passes ends the answer even while there is nothing to write.
//
// It has no ReadFrom, which would be one long write. Hijack is reached through
// Unwrap, and net/http takes the deadline off a connection that is hijacked.
type outgoing struct {
	http.ResponseWriter
	limit time.Duration
}

// Unwrap is for http.ResponseController.
func (o *outgoing) Unwrap() http.ResponseWriter { return o.ResponseWriter }

// WriteHeader limits an informational status (1xx), which is sent at once; any
// other waits for what follows.
func (o *outgoing) WriteHeader(status int) {
	if status < http.StatusOK {
		o.begin()
		defer o.end()
	}
	o.ResponseWriter.WriteHeader(status)
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

// begin sets the deadline anew. Not every ResponseWriter has one; then the
// server's own holds.
func (o *outgoing) begin() {
	_ = http.NewResponseController(o.ResponseWriter).SetWriteDeadline(time.Now().Add(o.limit))
}

// end takes it off.
func (o *outgoing) end() {
	_ = http.NewResponseController(o.ResponseWriter).SetWriteDeadline(time.Time{})
}
