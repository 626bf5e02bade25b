// Package claimhook adds claims to access tokens that another program supplies by HTTP: an
// API that knows the plan of a customer, for example. The two calls to make are [New] and
// jotgate.New with the hook's method:
//
//	hook, err := claimhook.New(claimhook.Settings{URL: "https://app.example.com/claims", Secret: "whsec_…"})
//	gate, err := jotgate.New(jotgate.Settings{SecretKey: secret, CustomClaims: hook.Claims}, db)
//
// The request has the id of the account and is signed as a webhook is (docs/webhooks.md).
// The response has the status 200 and a JSON object of claims, or the status 204 if there
// are none:
//
//	{"type":"claims","timestamp":"2026-11-29T12:00:00Z","data":{"user_id":7}}   →   {"plan":"free"}
//
// The hook is called at each login and each refresh, so a token keeps its claims until it
// expires. If the program does not respond in time, or responds with anything else, the
// login or the refresh fails with 503: no token lacks a claim that it should have. With
// [Settings.Optional] it continues without the claims of the hook. A response with a claim
// that jotgate writes itself always fails. The zero value of each setting other than URL
// and Secret is the safe choice.
package claimhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/egress"
	"github.com/jotgate/jotgate/internal/hooksign"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// MaxResponse is the size of the longest response that is accepted, in bytes. It is small
// because every request with the token contains the claims.
const MaxResponse = 2 << 10

// Settings holds the options of a claim hook. URL and Secret are required.
type Settings struct {
	// URL is the address that receives the requests. Default: none, required.
	// Django: none.
	URL string
	// Secret signs the requests: whsec_ and the base64 of 24 to 64 random bytes.
	// Default: none, required. Django: none.
	Secret jotgate.Secret
	// Networks are networks that are not public in which the host of URL may be, such as
	// 127.0.0.0/8. Only there may URL begin with http. Default: none. Django: none.
	Networks []netip.Prefix
	// Timeout limits a request, from resolving the name to the end of the response. At
	// most 5 seconds; a login can take that much longer. Default: 1 second. Django: none.
	Timeout time.Duration
	// Optional means that a login or refresh continues without the claims if the hook fails,
	// with a warning in the log. A handler must not grant anything because a claim is
	// missing. Default: false, it fails with 503. Django: none.
	Optional bool
	// TLS is for a certificate of a private authority. Default: the system's
	// authorities, TLS 1.2 or newer. Django: none.
	TLS *tls.Config
	// Logger receives the failures of an optional hook. Default: slog.Default(). Django:
	// LOGGING.
	Logger *slog.Logger
	// Now is the clock. Default: time.Now. Django: none.
	Now func() time.Time
}

// Hook asks for claims. Create it with New. It is safe for concurrent use.
type Hook struct {
	settings Settings
	key      []byte
	client   *http.Client
}

// New returns a hook, or an error that names the invalid setting. It makes no request.
func New(s Settings) (*Hook, error) {
	if err := s.fill(); err != nil {
		return nil, err
	}
	guarded := egress.Client{Networks: s.Networks, Setting: "--claim-hook-networks", Timeout: s.Timeout, TLS: s.TLS}
	if err := guarded.Check(s.URL); err != nil {
		return nil, fmt.Errorf("claimhook: URL: %w", err)
	}
	key, err := hooksign.Key(string(s.Secret))
	if err != nil {
		return nil, fmt.Errorf("claimhook: Secret: %w", err)
	}
	return &Hook{settings: s, key: key, client: guarded.New()}, nil
}

// fill sets the defaults.
func (s *Settings) fill() error {
	s.Timeout = cmp.Or(s.Timeout, time.Second)
	if s.Timeout < 0 || s.Timeout > 5*time.Second {
		return fmt.Errorf("claimhook: Timeout: %v is not between 0 and 5s", s.Timeout)
	}
	s.Logger = cmp.Or(s.Logger, slog.Default())
	if s.Now == nil {
		s.Now = time.Now
	}
	return nil
}

// message is the body of a request.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	User record.UserID `json:"user_id,omitempty"`
}

// Claims asks for the claims of an account. It is the value of
// jotgate.Settings.CustomClaims.
func (h *Hook) Claims(ctx context.Context, account *record.Account) (jwt.Object, error) {
	claims, err := h.ask(ctx, message{Type: "claims", Data: data{account.ID}})
	if err != nil && h.settings.Optional {
		h.settings.Logger.WarnContext(ctx, "token without the claims of the claim hook", "user_id", account.ID, "cause", err)
		return nil, nil
	}
	return claims, err
}

// Check asks the hook as Claims does, about no account: the type of the request is ping.
// It returns the error that a login would have, also if the hook is optional.
func (h *Hook) Check(ctx context.Context) error {
	_, err := h.ask(ctx, message{Type: "ping"})
	return err
}

func (h *Hook) ask(ctx context.Context, m message) (jwt.Object, error) {
	r, err := h.request(ctx, m)
	if err != nil {
		return nil, err
	}
	response, err := h.client.Do(r)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer response.Body.Close()
	return read(response)
}

func (h *Hook) request(ctx context.Context, m message) (*http.Request, error) {
	now := h.settings.Now().UTC().Truncate(time.Second)
	m.Timestamp = now
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.settings.URL, bytes.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("User-Agent", "jotgate-claims")
		hooksign.Sign(r.Header, [][]byte{h.key}, hooksign.NewID("msg_"), string(body), now)
	}
	return r, err
}

// withoutURL leaves out the URL, which may contain something secret.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// read reads the claims of a response.
func read(response *http.Response) (jwt.Object, error) {
	switch response.StatusCode {
	case http.StatusNoContent:
		return nil, nil
	case http.StatusOK:
	default:
		return nil, fmt.Errorf("the status is %d, not 200 or 204", response.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, MaxResponse+1))
	if err != nil {
		return nil, withoutURL(err)
	}
	return claimsOf(text)
}

func claimsOf(text []byte) (jwt.Object, error) {
	if len(text) > MaxResponse {
		return nil, fmt.Errorf("the response has more than %d bytes", MaxResponse)
	}
	claims := jwt.Raw(text).Members()
	if len(claims) == 0 && trimmed(text) != "{}" {
		return nil, errors.New("the response is not a JSON object, or has a name twice")
	}
	return claims, nil
}

// trimmed returns the text without JSON's white space.
func trimmed(text []byte) string {
	return strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(string(text))
}
