package main

// The progress of a bench: a bar on a terminal, otherwise one line for each
// part.

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// benchBar shows the progress of something that takes about whole. step and
// end must be called by one goroutine.
type benchBar struct {
	out      io.Writer
	whole    time.Duration
	terminal bool
	reached  float64 // what the bar shows; a part that took longer than planned does not move it back
	stop     func()
}

func newBenchBar(out io.Writer, whole time.Duration) *benchBar {
	file, ok := out.(*os.File)
	return &benchBar{out: out, whole: whole, terminal: ok && term.IsTerminal(int(file.Fd())), stop: func() {}}
}

// step shows what begins now, after the given fraction of the whole.
func (p *benchBar) step(passed float64, what string) {
	p.stop()
	p.stop = func() {}
	switch {
	case what == "":
	case p.terminal:
		p.stop = p.animate(passed, what)
	default:
		fmt.Fprintf(p.out, "%3.0f %% %s\n", 100*passed, what)
	}
}

// end removes the bar.
func (p *benchBar) end() {
	p.stop()
	if p.terminal {
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

// animate moves the bar with time until the returned function is called.
func (p *benchBar) animate(passed float64, what string) func() {
	began, over := time.Now(), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			p.reached = max(p.reached, passed+float64(time.Since(began))/float64(p.whole))
			fmt.Fprint(p.out, "\r\x1b[K"+bar(p.reached, what))
			select {
			case <-tick.C:
			case <-over:
				return
			}
		}
	})
	return sync.OnceFunc(func() { close(over); running.Wait() })
}

// bar returns the bar at this point; it fits in 80 columns.
func bar(passed float64, what string) string {
	const width = 24
	passed = min(passed, 0.99)
	full := int(passed * width)
	return fmt.Sprintf("[%s%s] %2.0f %% %s", strings.Repeat("#", full), strings.Repeat(".", width-full), 100*passed, what)
}
