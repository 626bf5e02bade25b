// Package peer runs the programs that tests compare jotgate with, and jotgate itself. [Start] starts a program that
// responds to each line with a line; [Serve] starts one that listens. Both end with the test that started them.
package peer

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// A Process is a running peer. Ask may be called concurrently; the requests are queued.
type Process struct {
	name   string
	mu     sync.Mutex
	input  io.Writer
	output *bufio.Reader
	errors *output
	cmd    *exec.Cmd
}

// Start starts cmd and ends it with the test. Its standard error is shown if it does not respond.
func Start(tb testing.TB, cmd *exec.Cmd) *Process {
	tb.Helper()
	p := &Process{name: cmd.Path, errors: newOutput(), cmd: cmd}
	cmd.Stderr = p.errors
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	input, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	p.input, p.output = input, bufio.NewReaderSize(output, 1<<20)
	if err := cmd.Start(); err != nil {
		tb.Fatalf("peer: %v (tools/setup installs what the judges need)", err)
	}
	tb.Cleanup(func() {
		_ = input.Close() // the peer's loop ends with its input
		stop := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer stop.Stop()
		_ = cmd.Wait()
	})
	return p
}

// Ask writes a line and returns the line that the process writes in response.
func (p *Process) Ask(tb testing.TB, question string) string {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	stop := time.AfterFunc(wait.Limit, func() { _ = p.cmd.Process.Kill() })
	defer stop.Stop()
	if _, err := io.WriteString(p.input, question+"\n"); err != nil {
		tb.Fatalf("%s does not listen: %v\n%s", p.name, err, p.errors)
	}
	answer, err := p.output.ReadString('\n')
	if err != nil {
		tb.Fatalf("%s does not answer: %v\n%s", p.name, err, p.errors)
	}
	return strings.TrimSuffix(answer, "\n")
}

// Call asks a program that reads {"do": action, …} and answers {"Value": …} or
// {"Error": text}, in JSON. value, if not nil, receives the result. It returns the
// error, or "".
func (p *Process) Call(tb testing.TB, action string, args map[string]any, value any) (failure string) {
	tb.Helper()
	question := map[string]any{"do": action}
	maps.Copy(question, args)
	encoded, err := json.Marshal(question)
	if err != nil {
		tb.Fatal(err)
	}
	var answer struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal([]byte(p.Ask(tb, string(encoded))), &answer); err != nil {
		tb.Fatal(err)
	}
	if answer.Error == "" && value != nil {
		if err := json.Unmarshal(answer.Value, value); err != nil {
			tb.Fatalf("%s: %s answered %s: %v", p.name, action, answer.Value, err)
		}
	}
	return answer.Error
}

// Python is the interpreter that has Debian's modules, even if another one is first in PATH.
func Python() string {
	const debian = "/usr/bin/python3"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return "python3"
}
