package revocation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

// A feed that cannot be read does not fill the log: there is one line when
// the cause changes, and one every five minutes.
func TestOutage(t *testing.T) {
	var written bytes.Buffer
	now := time.Unix(1767225600, 0)
	outage := outage{log: slog.New(slog.NewTextHandler(&written, nil)), now: func() time.Time { return now }}
	lines := func() int { n := strings.Count(written.String(), "\n"); written.Reset(); return n }
	for end := now.Add(11*time.Minute + 10*time.Second); now.Before(end); {
		outage.note(t.Context(), errors.New("connection refused"), time.Second)
		now = now.Add(time.Second)
	}
	if got := lines(); got != 3 {
		t.Errorf("%d lines and %d requests in eleven minutes", got, outage.failures)
	}
	for i := range 3 {
		outage.note(t.Context(), fmt.Errorf("cause %d", i), 0)
	}
	if got := lines(); got != 3 {
		t.Errorf("%d lines for three causes", got)
	}
	outage.end(t.Context())
	outage.end(t.Context())
	if got := lines(); got != 1 {
		t.Errorf("%d lines for the end", got)
	}
	if outage.note(t.Context(), errors.New("again"), 0); lines() != 1 {
		t.Error("the next failure is not logged")
	}
}

// The log names the likely cause of a signature that is rejected.
func TestRejectedSignatureIsExplained(t *testing.T) {
	es := func() *jwt.Key {
		private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key, err := jwt.NewKey(jwt.ES256, private)
		if err != nil {
			t.Fatal(err)
		}
		return key.WithID(key.Thumbprint())
	}
	secret, err := jwt.NewHMAC(jwt.HS256, []byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := es(), es()
	signed := func(key *jwt.Key) string {
		token, err := jwt.Sign(key, signature{TokenType: "revocations"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	f := &Follower{keys: ours}
	for name, row := range map[string]struct {
		signature string
		cause     error
		want      string
	}{
		"signed with the secret":   {signed(secret), jwt.ErrInvalid, "key rotate --now"},
		"signed with another key":  {signed(theirs), jwt.ErrInvalid, theirs.ID()},
		"forged under a known key": {signed(ours), jwt.ErrInvalid, "the feed's signature: "},
		"not a gate":               {"", jwt.ErrInvalid, "is RevocationsURL right?"},
		"no keys yet":              {signed(theirs), jwt.ErrNoKeys, "the issuer has published none"},
	} {
		if got := f.explain(row.signature, row.cause); !strings.Contains(got.Error(), row.want) || !errors.Is(got, row.cause) {
			t.Errorf("%s: %v, want …%s…", name, got, row.want)
		}
	}
}

// A Follower keeps revocations for as long as the gate's tokens live, whatever
// its own settings are.
func TestFollowerKeepsAsLongAsTheGate(t *testing.T) {
	noon := time.Unix(1767225600, 0)
	now := func() time.Time { return noon }
	key, err := jwt.NewHMAC(jwt.HS256, []byte("a secret of thirty-two bytes or more"))
	if err != nil {
		t.Fatal(err)
	}
	gate := newList(3*time.Hour, now)
	gate.Add(record.Revocation{Session: sid(1), Made: noon})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, err := gate.NextPage(r.Context(), r.URL.Query().Get("since"), 0, nil)
		if err != nil {
			t.Error(err)
		}
		body, signature, err := Sign(key, page, r.URL.Query().Get("nonce"), noon)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set(SignatureHeader, signature)
		_, _ = w.Write(body)
	}))
	defer server.Close()
	list := NewList(Settings{Sessions: time.Hour, Users: time.Hour, Now: now})
	f, err := NewFollower(list, FollowSettings{URL: server.URL, Keys: key, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if added, err := f.round(t.Context()); err != nil || !added {
		t.Fatal(added, err)
	}
	list.Sweep(noon.Add(3 * time.Hour))
	if !list.Revoked(sid(1), "1", 0) {
		t.Error("dropped while a token of the session may live")
	}
	list.Sweep(noon.Add(3*time.Hour + 3*time.Second))
	if list.Revoked(sid(1), "1", 0) {
		t.Error("kept although no token can live")
	}
}

// A feed that is not there names both causes; other statuses speak for themselves.
func TestMissingFeedIsExplained(t *testing.T) {
	for status, explained := range map[string]bool{"404 Not Found": true, "503 Service Unavailable": false, "429 Too Many Requests": false} {
		text := (&feedError{status: status}).Error()
		if strings.Contains(text, "--serve-revocations") != explained || !strings.Contains(text, status) {
			t.Errorf("%s: %s", status, text)
		}
	}
}
