package main

// The server under siege: the binary, built from this checkout, with what an
// operator starts it with, but for the rates of logins and sign-ups, which would
// refuse most of it before it is looked at.

import (
	"fmt"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

type server struct {
	*binary.Server
	token string
	good  *http.Client // of the good client: connections of its own
}

// start builds and starts the server and makes its user. What it returns must be
// stopped in any case.
func start(args ...string) (*server, error) {
	s := &server{good: &http.Client{Timeout: 10 * time.Second}}
	flags := []string{"--log-level", "error", "--access-token-lifetime", "1h", "--rate", "login=1000000/min;register=1000000/min"}
	var err error
	if s.Server, err = binary.BuildAndServe(append(flags, args...)...); err != nil {
		return s, err
	}
	if err := s.Register(s.good); err != nil {
		return s, err
	}
	s.token, err = s.Login(s.good)
	return s, err
}

// login is one of the good client's.
func (s *server) login() error {
	_, err := s.Login(s.good)
	return err
}

// check is one of its requests with a token.
func (s *server) check() error { return s.Check(s.good, s.token) }

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
