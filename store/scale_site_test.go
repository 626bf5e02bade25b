package store_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/store"
)

const (
	scalePassword = "correct-horse-battery-1"
	scaleSecret   = "0123456789abcdefghijklmnopqrstuvwxyz-scale"
)

// site is a gate over a store, and the server a client asks.
type site struct {
	*world
	gate    *jotgate.Gate
	key     *jwt.Key
	address string
}

func newSite(w *world, s *store.Store) *site {
	w.Helper()
	gate, err := jotgate.New(jotgate.Settings{SecretKey: scaleSecret, Logger: slog.New(slog.DiscardHandler)}, s)
	w.must(err)
	w.must(gate.Sync(w.ctx))
	key, err := jwt.NewHMAC(jwt.HS256, []byte(scaleSecret))
	w.must(err)
	mux := http.NewServeMux()
	api.Mount(mux, gate)
	server := httptest.NewServer(mux)
	w.Cleanup(server.Close)
	return &site{w, gate, key, server.URL}
}

// requests are what a client waits for; turns is how often each is asked in a
// block.
var requests = map[string]struct {
	turns int
	do    func(s *site, n int) error
}{
	"login":               {8, (*site).login},
	"GET /auth/users/me/": {300, (*site).me},
}

// login looks the user up by name, checks the password with the usual hash, and
// writes a session.
func (s *site) login(n int) error {
	_, err := s.gate.Login(s.ctx, "user"+strconv.Itoa(n), scalePassword, jotgate.Client{})
	return err
}

// me asks over HTTP, as the user n with a token.
func (s *site) me(n int) error {
	now := time.Now().Unix()
	token, err := jwt.Sign(s.key, map[string]any{
		"token_type": "access", "exp": now + 60, "iat": now, "jti": "5f3e1c9a7b2d4e6f8091a2b3c4d5e6f7", "user_id": strconv.Itoa(n),
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.address+"/auth/users/me/", nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}
