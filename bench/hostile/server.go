package main

// The server under siege: the binary, built from this checkout, with what an
// operator starts it with, but for the rates of logins and sign-ups, which would
// refuse most of it before it is looked at.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const password = "correct-horse-battery-1"

type server struct {
	folder  string
	process *exec.Cmd
	address string // host and port
	token   string
	good    *http.Client // of the good client: connections of its own
}

// start builds and starts the server and makes its user. What it returns must be
// stopped in any case.
func start(args ...string) (*server, error) {
	s := &server{good: &http.Client{Timeout: 10 * time.Second}}
	var err error
	if s.folder, err = os.MkdirTemp("", "jotgate-hostile"); err != nil {
		return s, err
	}
	binary := filepath.Join(s.folder, "jotgate")
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/jotgate/jotgate").Output()
	if err != nil {
		return s, err
	}
	build := exec.Command("go", "build", "-o", binary, "./cmd/jotgate")
	build.Dir = strings.TrimSpace(string(root))
	if out, err := build.CombinedOutput(); err != nil {
		return s, fmt.Errorf("building jotgate: %w\n%s", err, out)
	}
	s.process = exec.Command(binary, append([]string{"serve", "--addr", "127.0.0.1:0", "--log-level", "error", "--access-token-lifetime", "1h", "--rate", "login=1000000/min;register=1000000/min"}, args...)...)
	s.process.Dir, s.process.Stderr = s.folder, os.Stderr
	s.process.Env = append(os.Environ(), "JOTGATE_SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz-hostile")
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := s.listen(); err != nil {
		return s, err
	}
	if err := s.post("/auth/users/", http.StatusCreated, nil); err != nil {
		return s, err
	}
	var tokens struct{ Access string }
	err = s.post("/api/token/", http.StatusOK, &tokens)
	s.token = tokens.Access
	return s, err
}

// listen starts the process and waits until it says where it listens.
func (s *server) listen() error {
	out, err := s.process.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), "listening on http://"); ok {
			s.address, _, _ = strings.Cut(rest, ",")
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return nil
		}
	}
	return fmt.Errorf("the server did not listen")
}

func (s *server) stop() {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(syscall.SIGTERM)
		_ = s.process.Wait()
	}
	_ = os.RemoveAll(s.folder)
}

// post sends the user's name and password and expects this status.
func (s *server) post(path string, status int, into any) error {
	answer, err := s.good.PostForm("http://"+s.address+path, url.Values{"username": {"alice"}, "password": {password}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != status {
		return fmt.Errorf("%s was answered %s: %.200s", path, answer.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// login is one of the good client's.
func (s *server) login() error { return s.post("/api/token/", http.StatusOK, nil) }

// check is one of its requests with a token.
func (s *server) check() error {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.address+"/auth/check", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := s.good.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the good client was answered %s", answer.Status)
	}
	return nil
}

// memory reads a line of /proc/PID/status, in KiB: VmRSS or VmHWM.
func (s *server) memory(line string) (int, error) {
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

// files is how many files the server has open, connections included.
func (s *server) files() (int, error) {
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Process.Pid))
	return len(list), err
}

// settled waits until the server has at most so many files open.
func (s *server) settled(files int, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		n, err := s.files()
		if err != nil || n <= files {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d files are open %v after the siege, %d before it", n, limit, files)
		}
	}
}
