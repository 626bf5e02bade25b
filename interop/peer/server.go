package peer

// Programs that listen: they are started on a free port, report their address, and are stopped with SIGTERM.

import (
	"bytes"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// A Server is a running program that listens. Its methods may be called concurrently.
type Server struct {
	cmd    *exec.Cmd
	output *output
	ended  chan struct{} // closed when the process has ended
	err    error         // how it ended; read after ended
}

// Serve starts cmd, keeps its output, and ends it with tb. If tb has failed, it shows the end of the output.
func Serve(tb testing.TB, cmd *exec.Cmd) *Server {
	tb.Helper()
	s := &Server{cmd: cmd, output: newOutput(), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.output, s.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // if the test is killed, so is the server
	cmd.WaitDelay = time.Minute
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

// Output returns everything that the program has written so far.
func (s *Server) Output() string { return s.output.String() }

// WaitFor waits until the output matches pattern, and returns the first match and its groups. The test fails if the
// program ends before or takes longer than [wait.Limit].
func (s *Server) WaitFor(tb testing.TB, pattern *regexp.Regexp) []string {
	tb.Helper()
	deadline := time.After(wait.Limit)
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
			tb.Fatalf("%s did not write %s in %v", s.cmd.Path, pattern, wait.Limit)
		}
	}
}

// Ended reports whether the process has ended.
func (s *Server) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Signal sends the process a signal, unless it has ended.
func (s *Server) Signal(signal syscall.Signal) { _ = s.cmd.Process.Signal(signal) }

// Stop sends SIGTERM, waits, kills the program after [wait.Limit], and returns how it ended; nil means status 0.
// Further calls return the same.
func (s *Server) Stop() error {
	s.Signal(syscall.SIGTERM)
	select {
	case <-s.ended:
	case <-time.After(wait.Limit):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
	return s.err
}

// Pid returns the process id.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// output collects what a process writes and signals new output.
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

// more returns a channel that is closed when something is written after this call.
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
