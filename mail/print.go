// Letters for the developer: written where they can be read.

package mail

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
)

// printer writes letters to a terminal or a file, one at a time.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

// check has nothing to reach.
func (p *printer) check(context.Context) error { return nil }

// deliver writes the text, between two rules. The HTML says the same and is
// left out. Whatever a user's name holds, it cannot speak to the terminal: it
// went through clean.
func (p *printer) deliver(_ context.Context, e envelope) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rule := strings.Repeat("-", 72)
	_, err := fmt.Fprintf(p.w, "%s\nFrom: %s\nTo: %s\nSubject: %s\n\n%s\n%s\n",
		rule, e.from, e.to, e.Subject, strings.TrimRight(e.Text, "\n"), rule)
	return err
}
