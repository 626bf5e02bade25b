package jotgate_test

import (
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// clock is a clock that does not advance by itself.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a gate on a new SQLite database, with a clock at noon.
type bench struct {
	*jotgate.Gate
	db    *store.Store
	clock *clock
}

// fast is a hasher for tests: correct and cheap.
func fast(t testing.TB) *passwd.Hasher {
	t.Helper()
	h, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func newGate(t testing.TB, change func(*jotgate.Settings)) *bench {
	t.Helper()
	db := sqlitetest.Open(t)
	return gateOn(t, db, change)
}

func gateOn(t testing.TB, db *store.Store, change func(*jotgate.Settings)) *bench {
	t.Helper()
	c := &clock{now: noon}
	s := jotgate.Settings{
		SecretKey: secret, Hasher: fast(t), Now: c.Now,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if change != nil {
		change(&s)
	}
	gate, err := jotgate.New(s, db)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{gate, db, c}
}

const password = "correct horse battery"

// user creates an account with the password.
func (b *bench) user(t testing.TB, name string, change func(*record.Account)) *record.Account {
	t.Helper()
	encoded, err := b.Accounts().MakePassword(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	a := &record.Account{Username: name, Email: name + "@example.com", Password: encoded, IsActive: true, DateJoined: noon}
	if change != nil {
		change(a)
	}
	if err := b.db.Accounts().Create(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *bench) login(t testing.TB, name string) jotgate.Tokens {
	t.Helper()
	tokens, err := b.Login(t.Context(), name, password, jotgate.Client{Address: "192.0.2.1", UserAgent: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

// claims returns a token's claims in order.
func claims(t testing.TB, token string) []string {
	t.Helper()
	_, payload, err := jwt.DecodeUnverified(token)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range payload.Members() {
		names = append(names, m.Name)
	}
	return names
}
