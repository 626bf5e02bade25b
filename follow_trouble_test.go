package jotgate

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
)

// A feed that cannot be read does not fill the log: there is one line when
// the cause changes, and one every five minutes.
func TestFeedTrouble(t *testing.T) {
	var said bytes.Buffer
	now := time.Unix(1767225600, 0)
	g := &Guard{log: slog.New(slog.NewTextHandler(&said, nil)), now: func() time.Time { return now }}
	lines := func() int { n := strings.Count(said.String(), "\n"); said.Reset(); return n }
	var trouble trouble
	for end := now.Add(11*time.Minute + 10*time.Second); now.Before(end); {
		trouble.note(t.Context(), g, errors.New("connection refused"), time.Second)
		now = now.Add(time.Second)
	}
	if got := lines(); got != 3 {
		t.Errorf("%d lines and %d requests in eleven minutes", got, trouble.failures)
	}
	for i := range 3 {
		trouble.note(t.Context(), g, fmt.Errorf("cause %d", i), 0)
	}
	if got := lines(); got != 3 {
		t.Errorf("%d lines for three causes", got)
	}
	trouble.end(t.Context(), g)
	trouble.end(t.Context(), g)
	if got := lines(); got != 1 {
		t.Errorf("%d lines for the end", got)
	}
	if trouble.note(t.Context(), g, errors.New("again"), 0); lines() != 1 {
		t.Error("the next failure is not logged")
	}
}

// The log names the likely cause of a signature that is rejected.
func TestFeedTroubleIsExplained(t *testing.T) {
	es := func() *jwt.Key {
		private, err := generate(jwt.ES256)
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
		token, err := jwt.Sign(key, feedClaims{TokenType: "revocations"})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	f := &follower{guard: &Guard{keySet: ours}}
	for name, row := range map[string]struct {
		signature string
		cause     error
		says      string
	}{
		"signed with the secret":   {signed(secret), jwt.ErrInvalid, "key rotate --now"},
		"signed with another key":  {signed(theirs), jwt.ErrInvalid, theirs.ID()},
		"forged under a known key": {signed(ours), jwt.ErrInvalid, "the feed's signature: "},
		"not a gate":               {"", jwt.ErrInvalid, "is RevocationsURL right?"},
		"no keys yet":              {signed(theirs), jwt.ErrNoKeys, "the issuer has published none"},
	} {
		if got := f.explain(row.signature, row.cause); !strings.Contains(got.Error(), row.says) || !errors.Is(got, row.cause) {
			t.Errorf("%s: %v, want …%s…", name, got, row.says)
		}
	}
}
