package main

// One server, and the user that asks it.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

const password = "correct-horse-battery-1"

type server struct {
	*binary.Server
	answered time.Duration // from exec to the first answer
	token    string
}

// start starts the server in the folder and asks it one question.
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

// first asks whether the server, and its database, are ready.
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

// register makes the user and logs in.
func (s *server) register() error {
	response, err := http.PostForm("http://"+s.Address+"/auth/users/",
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
	response, err := http.PostForm("http://"+s.Address+"/api/token/", url.Values{"username": {"alice"}, "password": {password}})
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
	resident, err := s.Memory("VmRSS")
	if err != nil {
		return err
	}
	own, err := s.Memory("RssAnon")
	fmt.Printf("| %s | %.1f MiB, of which heap and stacks %.1f |\n", when, float64(resident)/1024, float64(own)/1024)
	return err
}
