// Package binary builds jotgate from this checkout and runs it as an operator does,
// as a separate process on a free port. The benchmarks use it, also to run the
// programs with which they compare jotgate.
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

// Secret is the secret with which all servers sign their tokens.
const Secret = "0123456789abcdefghijklmnopqrstuvwxyz-bench"

// Build builds the binary in a folder and returns its path.
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

// A Server is a running process: jotgate serve, or a program to compare it with.
type Server struct {
	Address string // host and port
	process *exec.Cmd
	folder  string // removed by Stop, unless it is empty
}

// Serve starts the binary in a folder, with the given flags in addition to --addr,
// and returns when it listens.
func Serve(path, folder string, flags ...string) (*Server, error) {
	serve := exec.Command(path, append([]string{"serve", "--addr", "127.0.0.1:0"}, flags...)...)
	serve.Dir, serve.Stderr = folder, os.Stderr
	serve.Env = append(os.Environ(), "JOTGATE_SECRET_KEY="+Secret)
	return Start(serve)
}

// BuildAndServe builds the binary and serves in a temporary folder that Stop removes.
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

// listening matches the lines with which jotgate and gunicorn report their address.
var listening = regexp.MustCompile(`[Ll]istening (?:on|at:) http://([0-9.:]+)`)

// Start starts a program and returns when it has reported the address on which it
// listens, on standard output or, if the caller does not use that, standard error.
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
	var output strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); output.WriteString(lines.Text() + "\n") {
		if found := listening.FindStringSubmatch(lines.Text()); found != nil {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return &Server{Address: found[1], process: program}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s did not listen: %s", program, output.String()), program.Wait())
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

// Sockets returns the number of open sockets of the server: connections and those on
// which it listens.
func (s *Server) Sockets() (n int, err error) {
	folder := fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid)
	list, err := os.ReadDir(folder)
	for _, file := range list {
		if to, _ := os.Readlink(filepath.Join(folder, file.Name())); strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n, err
}

// Spent returns the processor time that the server and its children have used so
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
			continue // the process has ended
		}
		_, rest, _ := strings.Cut(string(stat), ") ") // the name before it may contain spaces
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

// Stop stops the server and waits for it. For a nil Server it does nothing.
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

// Kill ends the server as the system does when memory is short, and waits for it.
func (s *Server) Kill() error {
	if err := s.process.Process.Kill(); err != nil {
		return err
	}
	_ = s.process.Wait() // that it was killed
	return nil
}
