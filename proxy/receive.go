package proxy

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
)

// errLate is the response to a body that does not arrive.
var errLate = &jotgate.Error{Status: http.StatusRequestTimeout, Detail: "Request body could not be read in time."}

// incoming is a request body that is being forwarded to the upstream. The client
// may take limit for each piece of it. The deadline is set only while a Read waits
// for a piece, so the upstream may take any time between two.
//
// The Transport reads it in a separate goroutine, which may outlive the handler;
// the connection's deadline must not be changed after that.
type incoming struct {
	io.ReadCloser
	client          *http.ResponseController
	limit           time.Duration
	expectsContinue bool // the client waits for 100 Continue

	reading sync.Mutex // held during a Read

	mu    sync.Mutex // guards the fields below, and the deadline
	late  time.Time  // deadline of the current Read, or of the one that failed
	whole bool       // the whole body was read
	over  bool       // the handler has ended
}

// receive returns a copy of the request whose body has the limit. It must be a
// copy, because net/http uses the original body to find out what is left of it.
func (o *outgoing) receive(r *http.Request) *http.Request {
	o.body = &incoming{
		ReadCloser: r.Body, client: http.NewResponseController(o.ResponseWriter),
		limit: o.limit, expectsContinue: r.Header.Get("Expect") != "",
	}
	r = r.WithContext(r.Context())
	r.Body = o.body
	return r
}

// Read reads a piece of the body, with a deadline.
func (b *incoming) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if err := b.begin(); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.end(err)
	return n, err
}

// begin resets the deadline, unless there is nothing more to read. net/http sends
// 100 Continue before it waits for the first piece.
func (b *incoming) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over:
		return http.ErrBodyReadAfterClose
	case b.whole:
		return io.EOF // the Transport checks for more bytes than Content-Length
	}
	b.late = time.Now().Add(b.limit)
	_ = b.client.SetReadDeadline(b.late)
	if b.expectsContinue {
		_ = b.client.SetWriteDeadline(b.late) // later writes set another deadline
		b.expectsContinue = false
	}
	return nil
}

// end removes the deadline. At the end of the body net/http has already removed it
// and waits for the client's next request; after an error the deadline remains.
func (b *incoming) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err == nil || err == io.EOF {
		b.late = time.Time{}
	}
	b.whole = err == io.EOF
	if err == nil && !b.over {
		_ = b.client.SetReadDeadline(time.Time{})
	}
}

// isLate reports whether the client took too long.
func (b *incoming) isLate() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.late.IsZero() && !time.Now().Before(b.late)
}

// isWhole reports whether there is nothing left to read.
func (b *incoming) isWhole() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.whole
}

// stop ends all reading for the handler. After the handler, net/http may read and
// discard the rest of the body. It would first remove the deadline of a Read in
// progress, so that Read must have ended by then.
func (b *incoming) stop() {
	wasLate := b.isLate()
	if !b.interrupt() {
		return
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	if !wasLate { // otherwise the deadline stays in the past
		_ = b.client.SetReadDeadline(time.Now().Add(b.limit))
	}
}

// interrupt ends a Read in progress and prevents further ones. It reports whether a
// part of the body is left and the connection supports deadlines.
func (b *incoming) interrupt() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	return !b.whole && b.client.SetReadDeadline(time.Unix(1, 0)) == nil
}
