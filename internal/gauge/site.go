package gauge

// The server that is measured, and its clients.

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// A site is a server with a user for each client.
type site struct {
	gate   *jotgate.Gate
	server *http.Server
	base   string
	client *http.Client
	tokens [clients]jotgate.Tokens
}

// open starts a server with the given concurrency of hashing. It has no rate limits
// and trusts the clients to name their addresses, so that only the hash pool limits
// a flood.
func open(ctx context.Context, store record.Store, hasher *passwd.Hasher, concurrency int) (*site, error) {
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(rand.Text() + rand.Text()), Hasher: hasher, HashConcurrency: concurrency, Logger: slog.New(slog.DiscardHandler),
	}, store)
	if err != nil {
		return nil, err
	}
	handler, err := api.New(gate, api.Settings{
		TrustedProxies: []string{"127.0.0.1/32"}, Rates: map[string]string{"login": "", "register": "", "email": ""},
	})
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen on 127.0.0.1: %w", err)
	}
	s := &site{gate: gate, server: api.Server("", handler), base: "http://" + listener.Addr().String()}
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * clients}}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

// close stops the server and closes its connections.
func (s *site) close() error {
	s.client.CloseIdleConnections()
	return s.server.Close()
}

// populate creates the users, who all have the same password hash.
func (s *site) populate(ctx context.Context) error {
	encoded, err := s.gate.Accounts().MakePassword(ctx, password)
	if err != nil {
		return err
	}
	for client := range clients {
		account := &record.Account{Username: name(client), Password: encoded, IsActive: true, DateJoined: time.Now()}
		if err := s.gate.Store().Accounts().Create(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

// enter starts a session for each client, without hashing.
func (s *site) enter(ctx context.Context) error {
	for client := range s.tokens {
		account, err := s.gate.Store().Accounts().ByLogin(ctx, name(client))
		if err != nil {
			return err
		}
		if s.tokens[client], err = s.gate.Sessions().Start(ctx, account, jotgate.ProvedElsewhere("gauge"), jotgate.Client{}); err != nil {
			return err
		}
	}
	return nil
}

func name(client int) string { return fmt.Sprintf("bench%02d", client) }

// login logs the client in. It returns false if the server is overloaded.
func (s *site) login(ctx context.Context, client int) (bool, error) {
	status, body, err := s.post(ctx, client, "/api/token/", url.Values{"username": {name(client)}, "password": {password}})
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK:
		return true, nil
	case status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests:
		return false, nil
	}
	return false, fmt.Errorf("login: unexpected response %d %s", status, body)
}

// refresh exchanges the client's tokens for new ones.
func (s *site) refresh(ctx context.Context, client int) error {
	status, body, err := s.post(ctx, client, "/api/token/refresh/", url.Values{"refresh": {s.tokens[client].Refresh}})
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("refresh: unexpected response %d %s", status, body)
	}
	return json.Unmarshal(body, &s.tokens[client])
}

// get requests a path with the client's access token.
func (s *site) get(ctx context.Context, client int, path string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.tokens[client].Access)
	status, body, err := s.do(request, client)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: unexpected response %d %s", path, status, body)
	}
	return err
}

func (s *site) post(ctx context.Context, client int, path string, form url.Values) (status int, body []byte, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(request, client)
}

// do sends a request with the address of the client (RFC 5737).
func (s *site) do(request *http.Request, client int) (status int, body []byte, err error) {
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", client+1))
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return response.StatusCode, body, err
}
