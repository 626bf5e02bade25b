// Package resubmit carries out a form once that a browser sends twice: by a double
// click, or because it repeats a request whose response was lost. The second request
// gets the response to the first.
//
// Two requests are the same if browser, cookies, address and body are. The response is
// kept in memory for a few seconds, until the browser shows that it has received it:
// it sends a cookie that the response set, requests the address to which the response
// redirects, or sends another form. A form that is sent again after that is carried out
// again. Only a success is kept: each wrong password counts.
//
// It does not replace the conditions in the database that let a code or a link work
// once: another process does not know the responses of this one.
package resubmit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"maps"
	"net/http"
	"sync"
	"time"
)

const (
	kept       = 3 * time.Second // for which a response is kept
	grace      = time.Second     // after which a form is given up whose browser has disconnected
	maxEntries = 1024
	maxBody    = 64 << 10 // of a response that is kept
)

// Forms are the forms that are being carried out or were a moment ago. Create it with
// New. It is safe for concurrent use.
type Forms struct {
	now      func() time.Time
	mu       sync.Mutex
	entries  map[[sha256.Size]byte]*entry // by browser; one form each, the last one
	receipts map[string]*entry            // by what shows that the browser has the response
}

// New returns a Forms that reads the time with now.
func New(now func() time.Time) *Forms {
	return &Forms{now: now, entries: map[[sha256.Size]byte]*entry{}, receipts: map[string]*entry{}}
}

// entry is a form of a browser.
type entry struct {
	browser, form [sha256.Size]byte
	done          chan struct{} // closed when the form was carried out
	waiting       int           // requests that wait for done
	response      *recorder     // nil before done, and if it is not kept
	until         time.Time
	receipts      []string
}

// Form is a form that a browser sends.
type Form struct {
	Browser  string // what distinguishes browsers: address, user agent, cookies
	Content  string // the address and the body
	Received func(status int, header http.Header) []string
}

// Received says that browsers have sent these receipts: what Form.Received has returned
// about a response that a browser has therefore received.
func (f *Forms) Received(receipts ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, receipt := range receipts {
		if e := f.receipts[receipt]; e != nil {
			f.remove(e)
		}
	}
}

// Do calls run, or responds as the call for the same form has. The context of run
// outlives its request by a second, since a browser ends the first request of a double
// click; its deadline stays. The error is that of run, or of ctx.
func (f *Forms) Do(ctx context.Context, w http.ResponseWriter, form Form, run func(context.Context, http.ResponseWriter) error) error {
	browser, content := sha256.Sum256([]byte(form.Browser)), sha256.Sum256([]byte(form.Content))
	for {
		e, first := f.enter(browser, content)
		if first {
			return f.lead(ctx, w, e, form.Received, run)
		}
		select {
		case <-ctx.Done():
			f.leave(e)
			return ctx.Err()
		case <-e.done:
		}
		f.leave(e)
		if e.response != nil {
			e.response.writeTo(w)
			return nil
		}
	}
}

// enter returns the entry of the form, and reports whether the caller must carry it out.
func (f *Forms) enter(browser, content [sha256.Size]byte) (*entry, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.entries[browser]; e != nil {
		if e.form == content && (e.until.IsZero() || f.now().Before(e.until)) {
			e.waiting++
			return e, false
		}
		f.remove(e)
	}
	e := &entry{browser: browser, form: content, done: make(chan struct{})}
	if len(f.entries) < maxEntries {
		f.entries[browser] = e
	}
	return e, true
}

func (f *Forms) leave(e *entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.waiting--
}

// remove forgets a form; those that wait for it still get its response. f.mu is locked.
func (f *Forms) remove(e *entry) {
	if f.entries[e.browser] == e {
		delete(f.entries, e.browser)
	}
	for _, receipt := range e.receipts {
		if f.receipts[receipt] == e {
			delete(f.receipts, receipt)
		}
	}
}

// lead carries out a form and keeps the response if it is a success.
func (f *Forms) lead(ctx context.Context, w http.ResponseWriter, e *entry, received func(int, http.Header) []string,
	run func(context.Context, http.ResponseWriter) error,
) error {
	r := &recorder{header: w.Header().Clone()}
	success := false
	defer func() { // also if run panics
		f.mu.Lock()
		defer f.mu.Unlock()
		if success && r.body.Len() <= maxBody {
			e.response, e.until, e.receipts = r, f.now().Add(kept), received(r.status, r.header)
		}
		switch {
		case e.response == nil:
			f.remove(e)
		case f.entries[e.browser] == e:
			for _, receipt := range e.receipts {
				f.receipts[receipt] = e
			}
			time.AfterFunc(kept, func() {
				f.mu.Lock()
				defer f.mu.Unlock()
				f.remove(e)
			})
		}
		close(e.done)
	}()
	inner, cancel := f.outlive(ctx, e)
	defer cancel()
	err := run(inner, r)
	success = err == nil && r.status < http.StatusBadRequest
	r.writeTo(w)
	return err
}

// outlive returns a context that ends at the deadline of ctx, or after ctx is canceled
// and no other request waits for the form.
func (f *Forms) outlive(ctx context.Context, e *entry) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok {
		var end context.CancelFunc
		inner, end = context.WithDeadline(inner, deadline)
		context.AfterFunc(inner, end)
	}
	stop := context.AfterFunc(ctx, func() {
		time.AfterFunc(grace, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			if e.waiting == 0 {
				cancel()
			}
		})
	})
	return inner, func() {
		stop()
		cancel()
	}
}

// recorder is a response that is complete before it is sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// perRequest are the headers of a response that its own request has set.
var perRequest = []string{"X-Request-Id", "Connection"}

// writeTo sends the response. Nothing is sent if there is none.
func (r *recorder) writeTo(w http.ResponseWriter) {
	header := w.Header()
	own := map[string][]string{}
	for _, name := range perRequest {
		if values, ok := header[name]; ok {
			own[name] = values
		}
	}
	clear(header)
	maps.Copy(header, r.header.Clone())
	for _, name := range perRequest {
		delete(header, name)
	}
	maps.Copy(header, own)
	if r.status == 0 {
		return
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes())
}
