// Package binary builds jotgate from this checkout and runs it as an operator
// does, as a process of its own on a free port, for the programs beside it that
// measure it; and what they measure it by in the same way.
package binary

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Secret is what every server signs its tokens with.
const Secret = "0123456789abcdefghijklmnopqrstuvwxyz-bench"

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

// Server is a process that listens: `jotgate serve`, or what it is measured by.
type Server struct {
	Address string // host and port
	process *exec.Cmd
	folder  string // goes with the server; may be empty
}

// Serve starts the binary in a folder, with these flags beside --addr, and
// returns when it says where it listens.
func Serve(path, folder string, flags ...string) (*Server, error) {
	serve := exec.Command(path, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...)...)
	serve.Dir, serve.Stderr = folder, os.Stderr
	serve.Env = append(os.Environ(), "JOTGATE_SECRET_KEY="+Secret)
	return Start(serve)
}

// BuildAndServe builds the binary and serves in a folder that Stop takes away.
func BuildAndServe(flags ...string) (*Server, error) {
	folder, err := os.MkdirTemp("", "jotgate-bench")
	if err != nil {
		return nil, err
	}
	path, err := Build(folder)
	if err == nil {
		var s *Server
		if s, err = Serve(path, folder, flags...); err == nil {
			s.folder = folder
			return s, nil
		}
	}
	_ = os.RemoveAll(folder)
	return nil, err
}

// listening is how jotgate, and gunicorn, say where.
var listening = regexp.MustCompile(`[Ll]istening (?:on|at:) http://([0-9.:]+)`)

// Start starts a program and returns when it says where it listens, on standard
// output or, where the caller has no other use for it, on standard error.
func Start(program *exec.Cmd) (*Server, error) {
	program.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := program.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if program.Stderr == nil {
		program.Stderr = program.Stdout
	}
	if err := program.Start(); err != nil {
		return nil, err
	}
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); said.WriteString(lines.Text() + "\n") {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &Server{Address: found[1], process: program}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s did not listen: %s", program, said.String()), program.Wait())
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

// Spent is the processor time that the server and its children have used so
// far, from /proc/PID/stat (proc(5): ppid is the 4th field, utime and stime the
// 14th and 15th, in hundredths of a second).
func (s *Server) Spent() (total time.Duration, err error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	pid := strconv.Itoa(s.process.Process.Pid)
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // the name before may hold blanks
		fields := strings.Fields(rest)
		if filepath.Base(filepath.Dir(file)) != pid && fields[1] != pid {
			continue
		}
		for _, field := range fields[11:13] {
			ticks, err := strconv.ParseInt(field, 10, 64)
			if err != nil {
				return 0, err
			}
			total += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return total, nil
}

// Stop ends the server and waits for it. A nil Server has ended.
func (s *Server) Stop() error {
	if s == nil {
		return nil
	}
	defer func() {
		if s.folder != "" {
			_ = os.RemoveAll(s.folder)
		}
	}()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.process.Wait()
}
