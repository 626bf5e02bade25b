// Messages for development: written in readable form.

package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// printer writes messages to a terminal or a file, one at a time.
type printer struct {
	mu sync.Mutex
	w  io.Writer
}

// check always succeeds: there is no server.
func (p *printer) check(context.Context) error { return nil }

// deliver writes the text between two rules. The HTML version, which says the same,
// is omitted. No user's name can send control codes to the terminal: clean has
// removed them.
func (p *printer) deliver(_ context.Context, e envelope) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	rule := strings.Repeat("-", 72)
	_, err := fmt.Fprintf(p.w, "%s\nFrom: %s\nTo: %s\nSubject: %s\n\n%s\n%s\n",
		rule, e.from, e.to, e.Subject, strings.TrimRight(e.Text, "\n"), rule)
	return err
}

// discarder is the transport for Settings.Discard. Sender.send removes messages
// without calling it.
type discarder struct{}

var errDiscard = errors.New("there is no mail server (Settings.Discard)")

func (discarder) deliver(context.Context, envelope) error { return errDiscard }

func (discarder) check(context.Context) error { return errDiscard }
