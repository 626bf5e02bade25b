// Package binary builds jotgate from this checkout and runs it as an operator
// does, as a process of its own on a free port, for the programs beside it that
// measure it.
package binary

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Build puts the binary into a folder and returns its path.
func Build(folder string, flags ...string) (string, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/jotgate/jotgate").Output()
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "jotgate")
	build := exec.Command("go", append(append([]string{"build"}, flags...), "-o", path, "./cmd/jotgate")...)
	build.Dir = strings.TrimSpace(string(root))
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building jotgate: %w\n%s", err, out)
	}
	return path, nil
}

// Server is a `jotgate serve` that listens.
type Server struct {
	Address string // host and port
	process *exec.Cmd
}

// Serve starts the binary in a folder, with these flags beside --addr, and
// returns when it says where it listens.
func Serve(path, folder string, flags ...string) (*Server, error) {
	s := &Server{process: exec.Command(path, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...)...)}
	s.process.Dir, s.process.Stderr = folder, os.Stderr
	s.process.Env = append(os.Environ(), "JOTGATE_SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz-bench")
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := s.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), "listening on http://"); ok {
			s.Address, _, _ = strings.Cut(rest, ",")
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not listen"), s.process.Wait())
}

// Memory reads a line of /proc/PID/status (proc_pid_status(5)), in KiB: VmRSS,
// VmHWM or RssAnon.
func (s *Server) Memory(line string) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no %s", line)
	}
	return strconv.Atoi(fields[0])
}

// Files is how many files the server has open, connections included.
func (s *Server) Files() (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid))
	return len(list), err
}

// Stop ends the server and waits for it. A nil Server has ended.
func (s *Server) Stop() error {
	if s == nil {
		return nil
	}
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.process.Wait()
}
