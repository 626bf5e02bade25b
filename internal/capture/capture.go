// Package capture collects output, such as a log, that a test reads while other
// goroutines write it.
package capture

import (
	"bytes"
	"sync"
)

// Output is a writer that keeps what is written. The zero value is empty and ready to
// use. It is safe for concurrent use.
type Output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer. It returns no error.
func (o *Output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

// String returns everything written so far.
func (o *Output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
