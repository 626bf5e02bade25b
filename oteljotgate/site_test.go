package oteljotgate_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/oteljotgate"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
)

const (
	parentTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	parentSpan  = "00f067aa0ba902b7"
)

// site is a server of everything that handles requests of accounts, whose spans are
// recorded.
type site struct {
	*testing.T
	handler http.Handler
	spans   *tracetest.SpanRecorder
	sender  *mail.Sender
	tracer  *oteljotgate.Tracer
	figures *metrics.Registry
	log     bytes.Buffer // all levels
	emails  bytes.Buffer
	began   time.Time
	ahead   atomic.Int64 // how far the clock was moved
	secrets []string     // what must not be recorded
}

// now is the clock, which stands still until the test moves it.
func (s *site) now() time.Time { return s.began.Add(time.Duration(s.ahead.Load())) }

func newSite(t *testing.T, figures *metrics.Registry, db *store.Store) *site {
	t.Helper()
	s := &site{T: t, spans: tracetest.NewSpanRecorder(), figures: figures, began: time.Now()}
	s.tracer = oteljotgate.New(sdk.NewTracerProvider(sdk.WithSpanProcessor(s.spans)), nil)
	hasher := must(passwd.New("pbkdf2_sha256:1"))(t)
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	gate := must(jotgate.New(jotgate.Settings{
		SecretKey: jotgate.Secret(s.secret("secret-key-", 40)), Hasher: hasher, Logger: log, Metrics: figures, Now: s.now,
	}, db))(t)
	check(t, gate.Sync(t.Context()))
	keys := must(apikey.New(gate, db.APIKeys(), apikey.Settings{}))(t)
	none := map[string]string{"login": "", "refresh": "", "register": "", "email": "", "links": ""}
	h := must(api.New(gate, api.Settings{APIKeys: keys, Rates: none, SendActivationEmail: true, NewSignInEmail: true, PasswordChangedEmail: true}))(t)
	s.sender = must(mail.New(mail.Settings{BaseURL: "http://localhost", Output: &s.emails, Logger: log, Metrics: figures, Now: s.now},
		gate.Accounts(), gate.Links(), db.Outbox()))(t)
	s.handler = s.tracer.Wrap(figures.Wrap(h))
	return s
}

// secret returns a text of this length that must not be recorded.
func (s *site) secret(begin string, length int) string {
	text := begin + strings.Repeat(fmt.Sprintf("%dZq7", len(s.secrets)), length)[:length-len(begin)]
	s.secrets = append(s.secrets, text)
	return text
}

// send sends a request with a traceparent and returns the members of the response,
// which must have this status. Every text in it that is long enough to be a secret is
// one.
func (s *site) send(status int, method, path, token, format string, values ...any) map[string]any {
	s.Helper()
	var body io.Reader
	if format != "" {
		body = strings.NewReader(fmt.Sprintf(format, values...))
	}
	r := httptest.NewRequestWithContext(s.Context(), method, path, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Traceparent", "00-"+parentTrace+"-"+parentSpan+"-01")
	r.Header.Set("User-Agent", "Mozilla/5.0 (Unusual) Browser-zq7/1")
	r.RemoteAddr = "198.51.100.77:4711"
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code != status {
		s.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	members := map[string]any{}
	_ = json.Unmarshal(w.Body.Bytes(), &members)
	return members
}

// keep remembers a text of a response as a secret and returns it.
func (s *site) keep(value any) string {
	s.Helper()
	text, _ := value.(string)
	if len(text) < 8 {
		s.Fatalf("no secret: %v", value)
	}
	s.secrets = append(s.secrets, text)
	if i := strings.LastIndexByte(text, '.'); i > 0 && strings.Count(text, ".") == 2 {
		s.secrets = append(s.secrets, text[i+1:]) // a token's signature
	}
	return text
}

// link sends the e-mails that are due and returns uid and token of the last link in
// them that begins with this path.
func (s *site) link(path string) (uid, token string) {
	s.Helper()
	ctx := s.tracer.Context(s.Context())
	for {
		n := must(s.sender.SendDue(ctx))(s.T)
		if n == 0 {
			break
		}
	}
	text := strings.ReplaceAll(s.emails.String(), "=\r\n", "")
	i := strings.LastIndex(text, "/#/"+path+"/")
	if i < 0 {
		s.Fatalf("no e-mail has a link to %s: %s", path, text)
	}
	parts := strings.SplitN(text[i+len("/#/"+path+"/"):], "/", 2)
	token, _, _ = strings.Cut(parts[1], "\n")
	return parts[0], s.keep(strings.TrimSpace(token))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return v
	}
}
