package main

// The server: the binary, built from this checkout and started as an operator does,
// but without rate limits for logins and registrations, which would refuse most
// requests early.

import (
	"fmt"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

type server struct {
	*binary.Server
	token string
	good  *http.Client // for the good client: separate connections
}

var flags = []string{"--log-level", "error", "--access-token-lifetime", "1h", "--rate", "login=1000000/min;register=1000000/min"}

// start builds and starts the server and creates its user. Its result must be stopped,
// also after an error.
func start() (*server, error) {
	s := &server{good: &http.Client{Timeout: 10 * time.Second}}
	var err error
	if s.Server, err = binary.BuildAndServe(flags...); err != nil {
		return s, err
	}
	return s, s.enter()
}

// enter creates the user of the good client and logs in.
func (s *server) enter() (err error) {
	if err = s.Register(s.good); err == nil {
		s.token, err = s.Login(s.good)
	}
	return err
}

// login logs the good client in.
func (s *server) login() error {
	_, err := s.Login(s.good)
	return err
}

// check sends a request of the good client with its token.
func (s *server) check() error { return s.Check(s.good, s.token) }

// settled waits until the server has no more open sockets than before the load.
func (s *server) settled(before int, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		n, err := s.Sockets()
		if err != nil || n <= before {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d sockets are open %v after the load, %d before it", n, limit, before)
		}
	}
}
