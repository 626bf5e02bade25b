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
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

const (
	scalePassword = "correct-horse-battery-1"
	scaleSecret   = "0123456789abcdefghijklmnopqrstuvwxyz-scale"
)

// site is a database with many users, a gate over it, and the server a client
// asks.
type site struct {
	*world
	users   int
	store   *store.Store
	seen    *observer
	gate    *jotgate.Gate
	key     *jwt.Key
	address string
}

// newSite makes a site of user1 … userN, all with the same password hash.
func newSite(w *world, n int, hash string) *site {
	w.Helper()
	s := w.open()
	w.fill(n, hash)
	gate, err := jotgate.New(jotgate.Settings{SecretKey: scaleSecret, Logger: slog.New(slog.DiscardHandler)}, s)
	w.must(err)
	w.must(gate.Sync(w.ctx))
	key, err := jwt.NewHMAC(jwt.HS256, []byte(scaleSecret))
	w.must(err)
	mux := http.NewServeMux()
	api.Mount(mux, gate)
	server := httptest.NewServer(mux)
	w.Cleanup(server.Close)
	return &site{w, n, s, observe(w, s), gate, key, server.URL}
}

// questions are what must not take more work for more users: lookups, and the
// requests of a client.
var questions = map[string]func(s *site, n int) error{
	"by name": func(s *site, n int) error {
		_, err := s.store.Accounts().ByLogin(s.ctx, "user"+strconv.Itoa(n))
		return err
	},
	"by id": func(s *site, n int) error {
		_, err := s.store.Accounts().ByID(s.ctx, record.UserID(strconv.Itoa(n)))
		return err
	},
	"by e-mail": func(s *site, n int) error {
		list, err := s.store.Accounts().ByEmail(s.ctx, "USER"+strconv.Itoa(n)+"@example.com")
		if err == nil && len(list) != 1 {
			err = fmt.Errorf("%d accounts", len(list))
		}
		return err
	},
	"by page": func(s *site, n int) error {
		_, err := s.store.Accounts().List(s.ctx, record.UserID(strconv.Itoa(n*49/50)), 20) // a full one
		return err
	},
	"login":               (*site).login,
	"GET /auth/users/me/": (*site).me,
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
		"token_type": "access", "exp": now + 3600, "iat": now, "jti": "5f3e1c9a7b2d4e6f8091a2b3c4d5e6f7", "user_id": strconv.Itoa(n),
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
