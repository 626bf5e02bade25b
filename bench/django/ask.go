package main

// The requests: registrations and logins by this program, the load by wrk.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/bench/binary"
)

const users = 32

// A reading is what wrk measured of one server.
type reading struct {
	rate float64 // successful responses per second
	bad  int     // other responses
	cost float64 // processor time of the server per successful response, µs
}

// ask lets wrk send one kind of request to one server.
func (s *site) ask(w work, name string, o options) (reading, error) {
	server := s.servers[name]
	env := append(os.Environ(), "WORK="+w.kind, "URLPATH="+w.path, "PASSWORD="+binary.Password, "USERS="+strconv.Itoa(users))
	switch w.kind {
	case "get":
		env = append(env, "TOKEN="+server.access)
	case "refresh":
		file, err := s.freshTokens(server, 2*o.connections)
		if err != nil {
			return reading{}, err
		}
		env = append(env, "TOKENS="+file)
	}
	slice := o.slice
	if w.kind == "login" {
		slice *= 3 // they are slow
	}
	wrk := exec.Command("wrk", "-t1", "-c"+strconv.Itoa(o.connections), "-d"+strconv.Itoa(int(slice.Seconds()))+"s", "--timeout", "20s",
		"-s", "django/load.lua", "http://"+server.Address)
	wrk.Env = env
	before, err := server.Spent()
	if err != nil {
		return reading{}, err
	}
	out, err := wrk.CombinedOutput()
	if err != nil {
		return reading{}, fmt.Errorf("wrk: %w: %s", err, out)
	}
	after, err := server.Spent()
	if err != nil {
		return reading{}, err
	}
	if err := server.settle(); err != nil {
		return reading{}, err
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var requests, refused, broken, microseconds int
	if _, err := fmt.Sscan(lines[len(lines)-1], &requests, &refused, &broken, &microseconds); err != nil {
		return reading{}, fmt.Errorf("wrk wrote: %s", out)
	}
	good, bad := requests-refused, refused+broken
	if good == 0 || name != "django" && bad > 0 {
		return reading{}, fmt.Errorf("%s, %s: %d successful responses and %d others", name, w.name, good, bad)
	}
	return reading{float64(good) / (float64(microseconds) / 1e6), bad, float64((after - before).Microseconds()) / float64(good)}, nil
}

// settle waits until the server has handled the requests that were pending when wrk
// ended. Otherwise they would slow down the next server.
func (s *server) settle() error {
	quiet, used := 0, time.Duration(0)
	for deadline := time.Now().Add(20 * time.Second); quiet < 5 && time.Now().Before(deadline); quiet++ {
		now, err := s.Spent()
		if err != nil {
			return err
		}
		if now > used {
			quiet, used = -1, now
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// freshTokens logs in repeatedly and writes the refresh tokens to a file. The tokens
// of the previous round cannot be used, since requests were pending when it ended.
func (s *site) freshTokens(server *server, n int) (string, error) {
	var text strings.Builder
	for i := range n {
		tokens, err := server.login(i % users)
		if err != nil {
			return "", err
		}
		text.WriteString(tokens.Refresh + "\n")
	}
	file := filepath.Join(s.folder, "tokens")
	return file, os.WriteFile(file, []byte(text.String()), 0o600)
}

// A pair is the response to a login.
type pair struct{ Access, Refresh string }

func (s *server) login(user int) (tokens pair, err error) {
	status, answer, err := s.send(http.MethodPost, "/api/token/", user, map[string]string{"username": name(user), "password": binary.Password}, "")
	if err != nil || status != http.StatusOK {
		return tokens, fmt.Errorf("login: %d %s %w", status, answer, err)
	}
	return tokens, json.Unmarshal(answer, &tokens)
}

func name(user int) string { return "user" + strconv.Itoa(user) }

// populate creates the users and checks the server: it accepts a token, refuses a
// damaged one, and accepts a refresh token once.
func (s *server) populate() error {
	for user := range users {
		form := map[string]string{"username": name(user), "password": binary.Password, "re_password": binary.Password}
		if status, answer, err := s.send(http.MethodPost, "/auth/users/", user, form, ""); err != nil || status != http.StatusCreated {
			return fmt.Errorf("signing up: %d %s %w", status, answer, err)
		}
	}
	tokens, err := s.login(0)
	if err != nil {
		return err
	}
	s.access = tokens.Access
	for _, c := range []struct {
		method, path, token string
		body                any
		want                int
	}{
		{http.MethodGet, "/auth/users/me/", tokens.Access, nil, http.StatusOK},
		{http.MethodGet, "/auth/users/me/", tokens.Access + "x", nil, http.StatusUnauthorized},
		{http.MethodGet, "/auth/check", tokens.Access, nil, http.StatusOK},
		{http.MethodGet, "/auth/check", tokens.Access + "x", nil, http.StatusUnauthorized},
		{http.MethodPost, "/api/token/refresh/", "", map[string]string{"refresh": tokens.Refresh}, http.StatusOK},
	} {
		if status, answer, err := s.send(c.method, c.path, 0, c.body, c.token); err != nil || status != c.want {
			return fmt.Errorf("%s %s: %d %s %w, want %d", c.method, c.path, status, answer, err, c.want)
		}
	}
	return nil
}

var client = &http.Client{Timeout: 30 * time.Second}

// send sends JSON with the address of the user.
func (s *server) send(method, path string, user int, body any, token string) (status int, answer []byte, err error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequest(method, "http://"+s.Address+path, bytes.NewReader(encoded))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Forwarded-For", "198.51.100."+strconv.Itoa(user+1))
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, answer, err
}
