package proxy

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
)

// errLate is the answer to a body that does not come.
var errLate = &jotgate.Error{Status: http.StatusRequestTimeout, Detail: "Request body could not be read in time."}

// incoming is a request's body on its way to the upstream. The client may take
// so long for each piece of it. The limit holds only while a piece is waited
// for, so the upstream may take any time between two.
//
// The Transport reads it in a goroutine of its own, which may outlive the
// handler; the connection's deadline must not be touched then.
type incoming struct {
	io.ReadCloser
	client *http.ResponseController
	limit  time.Duration
	asked  bool // the client waits for 100 Continue

	reading sync.Mutex // held while a piece is waited for

	mu    sync.Mutex // guards what follows, and the deadline
	late  time.Time  // when the piece that is waited for, or never came, is late
	whole bool       // all of it is here
	over  bool       // the handler has ended
}

// receive returns the request with its body under the limit. It is a copy:
// net/http looks at the body of its own request to see what is left of it.
func (o *outgoing) receive(r *http.Request) *http.Request {
	o.body = &incoming{
		ReadCloser: r.Body, client: http.NewResponseController(o.ResponseWriter),
		limit: o.limit, asked: r.Header.Get("Expect") != "",
	}
	r = r.WithContext(r.Context())
	r.Body = o.body
	return r
}

// Read limits a piece.
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

// begin sets the deadline anew, unless there is nothing more to read. net/http
// sends 100 Continue before it waits for the first piece.
func (b *incoming) begin() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.over:
		return http.ErrBodyReadAfterClose
	case b.whole:
		return io.EOF // the Transport asks for what is more than Content-Length
	}
	b.late = time.Now().Add(b.limit)
	_ = b.client.SetReadDeadline(b.late)
	if b.asked {
		_ = b.client.SetWriteDeadline(b.late) // what is written later sets its own
		b.asked = false
	}
	return nil
}

// end takes it off. At the body's end net/http has done so, and already waits
// for what the client does next; after an error there is nothing to wait for.
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

// stop ends the handler's part. net/http may go on to read what is left, to
// throw it away, and takes off the deadline first if a Read is under way: that
// one must have ended by then.
func (b *incoming) stop() {
	wasLate := b.isLate()
	if !b.interrupt() {
		return
	}
	b.reading.Lock()
	defer b.reading.Unlock()
	if !wasLate { // else the deadline stays in the past
		_ = b.client.SetReadDeadline(time.Now().Add(b.limit))
	}
}

// interrupt ends a Read that is under way and lets no other begin. It reports
// whether something is left; without deadlines nothing can be done about it.
func (b *incoming) interrupt() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	return !b.whole && b.client.SetReadDeadline(time.Unix(1, 0)) == nil
}
