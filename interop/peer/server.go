package peer

// Programs that listen: started on a free port, found by what they write, ended with SIGTERM.

import (
	"bytes"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Server is a running program that listens. Its methods may be called concurrently.
type Server struct {
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when the process has ended
	err    error         // how it ended; read after ended
}

// Serve starts cmd, keeps what it writes, and ends it with tb. When tb has failed by then, it shows the end of what
// the program wrote.
func Serve(tb testing.TB, cmd *exec.Cmd) *Server {
	tb.Helper()
	s := &Server{cmd: cmd, output: newOutput(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // a killed test leaves nothing behind
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		tb.Fatalf("peer: %v (tools/setup installs what the judges need)", err)
	}
	go func() {
		s.err = cmd.Wait()
		close(s.ended)
	}()
	tb.Cleanup(func() {
		_ = s.Stop()
		if tb.Failed() {
			tb.Logf("%s wrote:\n%s", cmd.Path, s.output.tail(4000))
		}
	})
	return s
}

// Output is everything the program has written so far.
func (s *Server) Output() string { return s.output.String() }

// WaitFor waits until the program has written what pattern describes, and returns the first match and its groups.
// The test fails when the program ends first or takes more than 30 s.
func (s *Server) WaitFor(tb testing.TB, pattern *regexp.Regexp) []string {
	tb.Helper()
	deadline := time.After(30 * time.Second)
	for {
		more := s.output.more()
		if found := pattern.FindStringSubmatch(s.Output()); found != nil {
			return found
		}
		select {
		case <-more:
		case <-s.ended:
			if found := pattern.FindStringSubmatch(s.Output()); found != nil {
				return found
			}
			tb.Fatalf("%s ended (%v) before it wrote %s", s.cmd.Path, s.err, pattern)
		case <-deadline:
			tb.Fatalf("%s did not write %s in 30 s", s.cmd.Path, pattern)
		}
	}
}

// Ended tells whether the process has ended.
func (s *Server) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Signal sends the process a signal; one that has ended takes none.
func (s *Server) Signal(signal syscall.Signal) { _ = s.cmd.Process.Signal(signal) }

// Stop sends SIGTERM, waits for the end, kills after 10 s, and returns how the program ended: nil is status 0.
// Further calls return the same.
func (s *Server) Stop() error {
	s.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return s.err
}

// Pid is the number of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// output collects what a process writes and tells when there is more.
type output struct {
	mu     sync.Mutex
	buf    bytes.Buffer
	change chan struct{} // closed by the next Write
}

func newOutput() *output { return &output{change: make(chan struct{})} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.change)
	o.change = make(chan struct{})
	return o.buf.Write(p)
}

// more is closed when something has been written after this call.
func (o *output) more() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.change
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func (o *output) tail(n int) string {
	text := o.String()
	return text[max(0, len(text)-n):]
}
