package keyring

import (
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/record"
)

const (
	secret  = "a secret of thirty-two bytes or more"
	another = "another secret of thirty-two bytes or more"
)

func newRing(t *testing.T, s Settings) *Ring {
	t.Helper()
	r, err := New(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A sealed text opens under its secret, also as a fallback, with its id and its
// purpose, and otherwise not.
func TestSeal(t *testing.T) {
	r := newRing(t, Settings{Secret: secret})
	text, err := r.Seal([]byte("plain"), "1", "a purpose")
	if err != nil {
		t.Fatal(err)
	}
	later := newRing(t, Settings{Secret: another, Fallbacks: []string{secret}})
	stranger := newRing(t, Settings{Secret: another})
	for name, c := range map[string]struct {
		ring              *Ring
		text, id, purpose string
		want              bool
	}{
		"as sealed":        {r, text, "1", "a purpose", true},
		"under a fallback": {later, text, "1", "a purpose", true},
		"another secret":   {stranger, text, "1", "a purpose", false},
		"another id":       {r, text, "2", "a purpose", false},
		"another purpose":  {r, text, "1", "b purpose", false},
		"changed":          {r, "A" + text[1:], "1", "a purpose", text[0] == 'A'},
		"cut":              {r, text[:8], "1", "a purpose", false},
		"empty":            {r, "", "1", "a purpose", false},
		"more than it may": {r, text + strings.Repeat("A", 4096), "1", "a purpose", false},
	} {
		if plain, ok := c.ring.Open(c.text, c.id, c.purpose); ok != c.want || ok && string(plain) != "plain" {
			t.Errorf("%s: %q, %v", name, plain, ok)
		}
	}
}

// The current key of the database signs, every other one verifies; a key that
// cannot be opened changes nothing.
func TestInstall(t *testing.T) {
	r := newRing(t, Settings{Secret: secret})
	if !r.OnlySecrets() || !r.Signing().IsSecret() || len(r.KeySet().Keys()) != 1 {
		t.Error("a ring of a secret has another key")
	}
	next, err := r.NewKey(jwt.ES256, time.Unix(1767225600, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Install([]record.Key{next}); err != nil || !r.Signing().IsSecret() || len(r.KeySet().Keys()) != 2 {
		t.Errorf("the next key signs, or does not verify: %v", err)
	}
	current := next
	current.State = record.KeyCurrent
	if err := r.Install([]record.Key{current}); err != nil || r.Signing().ID() != next.ID {
		t.Errorf("the current key does not sign: %v", err)
	}
	exchanged := current
	exchanged.ID = "another"
	foreign, err := newRing(t, Settings{Secret: another}).NewKey(jwt.EdDSA, time.Unix(1767225600, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []record.Key{exchanged, foreign} {
		if err := r.Install([]record.Key{bad}); err == nil || !strings.Contains(err.Error(), bad.ID) {
			t.Errorf("%s: %v", bad.ID, err)
		}
		if r.Signing().ID() != next.ID {
			t.Error("a key that cannot be opened has replaced the current one")
		}
	}
}

func TestSame(t *testing.T) {
	a, b := record.Key{ID: "a", State: record.KeyCurrent}, record.Key{ID: "b", State: record.KeyCurrent}
	retired := record.Key{ID: "a", State: record.KeyRetired}
	for _, c := range []struct {
		one, other []record.Key
		want       bool
	}{
		{nil, nil, true},
		{[]record.Key{a}, []record.Key{a}, true},
		{[]record.Key{a}, nil, false},
		{[]record.Key{a}, []record.Key{b}, false},
		{[]record.Key{a}, []record.Key{retired}, false},
		{[]record.Key{a, b}, []record.Key{a, retired}, false},
	} {
		if got := same(c.one, c.other); got != c.want {
			t.Errorf("%v and %v: %v", c.one, c.other, got)
		}
	}
}
