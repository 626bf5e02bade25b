package main

// One server, and the user that asks it.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const password = "correct-horse-battery-1"

type server struct {
	process  *exec.Cmd
	address  string
	answered time.Duration // from exec to the first answer
	token    string
}

// start starts the server in the folder and asks it one question.
func start(folder, binary string) (*server, error) {
	command := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "--database", "sqlite:jotgate.db")
	command.Dir = folder
	command.Env = append(os.Environ(), "JOTGATE_SECRET_KEY=0123456789abcdefghijklmnopqrstuvwxyz-footprint")
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	s := &server{process: command}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, rest, ok := strings.Cut(lines.Text(), "listening on "); ok {
			s.address, _, _ = strings.Cut(rest, ",")
			go func() { _, _ = io.Copy(io.Discard, out) }()
			err := s.first()
			s.answered = time.Since(began)
			return s, err
		}
	}
	return nil, fmt.Errorf("the server did not listen")
}

// first asks whether the server, and its database, are ready.
func (s *server) first() error {
	response, err := http.Get(s.address + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", response.Status)
	}
	return nil
}

// register makes the user and logs in.
func (s *server) register() error {
	response, err := http.PostForm(s.address+"/auth/users/",
		url.Values{"username": {"alice"}, "email": {"alice@example.com"}, "password": {password}})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("registering: %s", response.Status)
	}
	s.token, err = s.login()
	return err
}

// login returns an access token.
func (s *server) login() (string, error) {
	response, err := http.PostForm(s.address+"/api/token/", url.Values{"username": {"alice"}, "password": {password}})
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var tokens struct{ Access string }
	if err := json.NewDecoder(response.Body).Decode(&tokens); err != nil || tokens.Access == "" {
		return "", fmt.Errorf("logging in: %s, %w", response.Status, err)
	}
	return tokens.Access, nil
}

// print writes what is resident, and how much of it is the program's own: the
// rest are pages of files, which the page cache shares (proc_pid_status(5)).
func (s *server) print(when string) error {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.process.Process.Pid))
	if err != nil {
		return err
	}
	mib := func(name string) float64 {
		_, rest, _ := strings.Cut(string(status), name+":")
		kib, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
		return float64(kib) / 1024
	}
	fmt.Printf("| %s | %.1f MiB, of which heap and stacks %.1f |\n", when, mib("VmRSS"), mib("RssAnon"))
	return nil
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.process.Wait()
}
