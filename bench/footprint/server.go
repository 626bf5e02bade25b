package main

// The server and its memory.

import (
	"fmt"
	"net/http"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

type server struct {
	*binary.Server
	answered time.Duration // from exec to the first response
}

// start starts the server in a folder and sends the first request.
func start(folder, path string) (*server, error) {
	began := time.Now()
	process, err := binary.Serve(path, folder, "--log-level", "error", "--database", "sqlite:jotgate.db")
	if err != nil {
		return nil, err
	}
	s := &server{Server: process}
	err = s.first()
	s.answered = time.Since(began)
	return s, err
}

// first requests whether the server and its database are ready.
func (s *server) first() error {
	response, err := http.Get("http://" + s.Address + "/readyz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", response.Status)
	}
	return nil
}

// print writes what is resident, and how much of it is the program's own: the
// rest are pages of files, which the page cache shares (proc_pid_status(5)).
func (s *server) print(when string) error {
	resident, err := s.Memory("VmRSS")
	if err != nil {
		return err
	}
	own, err := s.Memory("RssAnon")
	fmt.Printf("| %s | %.1f MiB, of which heap and stacks %.1f |\n", when, float64(resident)/1024, float64(own)/1024)
	return err
}
