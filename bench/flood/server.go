package main

// The server: the binary, built from this checkout.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

const users = 64

type server struct {
	*binary.Server
	token  string
	path   string       // that the reader requests; "" is /auth/check
	client *http.Client // for the reader: one connection
	flood  *http.Client
}

// Clients may name their addresses, and there are no rate limits, so that only the hash pool limits the flood.
var flags = []string{"--trusted-proxies", "127.0.0.1/32", "--log-level", "error", "--rate", "login=1000000/min;register=1000000/min"}

// start starts the server and creates its users. Its result must be stopped, also
// after an error.
func start() (*server, error) {
	s := &server{
		client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 1}},
		flood:  &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: users}},
	}
	var err error
	if s.Server, err = binary.BuildAndServe(flags...); err != nil {
		return s, err
	}
	return s, s.populate()
}

// populate creates users and logs the reader in.
func (s *server) populate() error {
	for i := range users {
		if status, _, err := s.post("/auth/users/", i, url.Values{"username": {name(i)}, "password": {binary.Password}}); err != nil || status != http.StatusCreated {
			return fmt.Errorf("signing up: %d %v", status, err)
		}
	}
	_, body, err := s.post("/api/token/", 0, url.Values{"username": {name(0)}, "password": {binary.Password}})
	if err != nil {
		return err
	}
	var tokens struct{ Access string }
	if err := json.Unmarshal(body, &tokens); err != nil || tokens.Access == "" {
		return fmt.Errorf("logging in: %s", body)
	}
	s.token = tokens.Access
	return nil
}

func name(i int) string { return "user" + strconv.Itoa(i) }

// post sends a form with the address of the client.
func (s *server) post(path string, client int, form url.Values) (status int, body []byte, err error) {
	r, err := http.NewRequest(http.MethodPost, "http://"+s.Address+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", client+1))
	answer, err := s.flood.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	return answer.StatusCode, body, err
}

// login logs in, each eighth time with a wrong password. It reports whether the server
// computed a hash, or refused that with 503 or 429; another response is an error.
func (s *server) login(client, i int) (hashed bool, err error) {
	secret := binary.Password
	if i%8 == 7 {
		secret = "a wrong password"
	}
	status, body, err := s.post("/api/token/", client, url.Values{"username": {name(client % users)}, "password": {secret}})
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK, status == http.StatusUnauthorized:
		return true, nil
	case status == http.StatusServiceUnavailable, status == http.StatusTooManyRequests:
		return false, nil
	}
	return false, fmt.Errorf("a login: %d %s", status, body)
}

// check sends a request of the reader.
func (s *server) check() error {
	if s.path == "" || s.path == "/auth/check" {
		return s.Check(s.client, s.token)
	}
	answer, err := s.client.Get("http://" + s.Address + s.path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err = io.Copy(io.Discard, answer.Body); err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", s.path, answer.Status)
	}
	return err
}
