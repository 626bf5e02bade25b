package main

// The server under siege: the binary, built from this checkout, with what an
// operator starts it with, but for the rates of logins and sign-ups, which would
// refuse most of it before it is looked at.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

const password = "correct-horse-battery-1"

type server struct {
	*binary.Server
	folder string
	token  string
	good   *http.Client // of the good client: connections of its own
}

// start builds and starts the server and makes its user. What it returns must be
// stopped in any case.
func start(args ...string) (*server, error) {
	s := &server{good: &http.Client{Timeout: 10 * time.Second}}
	var err error
	if s.folder, err = os.MkdirTemp("", "jotgate-hostile"); err != nil {
		return s, err
	}
	path, err := binary.Build(s.folder)
	if err != nil {
		return s, err
	}
	flags := []string{"--log-level", "error", "--access-token-lifetime", "1h", "--rate", "login=1000000/min;register=1000000/min"}
	if s.Server, err = binary.Serve(path, s.folder, append(flags, args...)...); err != nil {
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

func (s *server) stop() {
	_ = s.Stop()
	_ = os.RemoveAll(s.folder)
}

// post sends the user's name and password and expects this status.
func (s *server) post(path string, status int, into any) error {
	answer, err := s.good.PostForm("http://"+s.Address+path, url.Values{"username": {"alice"}, "password": {password}})
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
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/auth/check", nil)
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

// settled waits until the server has at most so many files open.
func (s *server) settled(files int, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		n, err := s.Files()
		if err != nil || n <= files {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d files are open %v after the siege, %d before it", n, limit, files)
		}
	}
}
