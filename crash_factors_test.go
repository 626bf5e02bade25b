package jotgate_test

// The second factors' part of the crash test: an app is set up, used, replaced by
// a recovery code, and removed, as fast as possible, until kill -9. After each
// kill the database has all of a change or none of it, and no code works that was
// accepted before.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/factor/totp"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/rounds"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

// crashFactors selects this work in the child; its value is the child's first
// time, in Unix seconds.
const crashFactors = "JOTGATE_CRASH_FACTORS"

func factorGate(db *store.Store, now func() time.Time) (*jotgate.Gate, error) {
	hasher, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		return nil, err
	}
	return jotgate.New(jotgate.Settings{SecretKey: secret, Hasher: hasher, Now: now, Logger: slog.New(slog.DiscardHandler)}, db)
}

// crashFactorsChild prints a line before each change and a line after its
// response. Its clock advances only between two changes.
func crashFactorsChild(ctx context.Context, db *store.Store, start string) error {
	seconds, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return err
	}
	now := time.Unix(seconds, 0)
	gate, err := factorGate(db, func() time.Time { return now })
	if err != nil {
		return err
	}
	encoded, err := gate.Accounts().MakePassword(ctx, password)
	if err != nil {
		return err
	}
	a := &record.Account{Username: "factors-" + rand.Text(), Password: encoded, IsActive: true, DateJoined: now}
	if err := db.Accounts().Create(ctx, a); err != nil {
		return err
	}
	answered("account %d %s .", now.Unix(), a.Username)
	use := func(code string, proof jotgate.Proof) error {
		state, err := gate.Logins().Begin(ctx, jotgate.Password(a.Username, password), jotgate.Client{})
		if err != nil {
			return err
		}
		answered("using %d %s .", now.Unix(), code)
		if state, err = gate.Logins().Continue(ctx, state.Pending, proof, jotgate.Client{}); err != nil || state.Next != jotgate.StepDone {
			return fmt.Errorf("%s: %+v, %w", code, state, err)
		}
		answered("used %d %s .", now.Unix(), code)
		return nil
	}
	for {
		now = now.Add(time.Minute)
		begun, err := gate.Factors().BeginTOTP(ctx, a)
		if err != nil {
			return err
		}
		first, err := totp.Code(begun.Secret, totp.Step(now))
		if err != nil {
			return err
		}
		answered("adding %d %s .", now.Unix(), first)
		codes, err := gate.Factors().AddTOTP(ctx, a, begun.Token, first, jotgate.Client{})
		if err != nil {
			return err
		}
		answered("added %d %s .", now.Unix(), begun.Secret)
		now = now.Add(time.Minute)
		code, err := totp.Code(begun.Secret, totp.Step(now))
		if err != nil {
			return err
		}
		if err := errors.Join(use(code, jotgate.TOTP(code)), use(codes[3], jotgate.RecoveryCode(codes[3]))); err != nil {
			return err
		}
		factors, err := gate.Factors().List(ctx, a.ID)
		if err != nil {
			return err
		}
		answered("removing %d all .", now.Unix())
		if err := gate.Factors().Remove(ctx, a, factors[0].ID, jotgate.Client{}); err != nil {
			return err
		}
		answered("removed %d all .", now.Unix())
	}
}

// factorCrash is what a child process did until it was killed.
type factorCrash struct {
	last     string // the first word of the last line
	now      time.Time
	account  string
	inFlight string   // the code of "using"
	accepted []string // the codes of "used" since the app was set up
	logins   int
	changes  int // additions and removals
}

func (c *factorCrash) hear(line string) {
	var word, text, dot string
	var seconds int64
	if n, _ := fmt.Sscan(line, &word, &seconds, &text, &dot); n < 4 {
		return // truncated
	}
	c.last, c.now = word, time.Unix(seconds, 0)
	switch word {
	case "account":
		c.account = text
	case "using":
		c.inFlight = text
	case "used":
		c.accepted, c.logins, c.inFlight = append(c.accepted, text), c.logins+1, ""
	case "adding":
		c.accepted = []string{text}
	case "added", "removed":
		c.changes++
	}
}

// look checks the database after the kill.
func (c *factorCrash) look(t *testing.T, dsn string) {
	t.Helper()
	db, err := openDSN(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gate, err := factorGate(db, func() time.Time { return c.now })
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{Gate: gate, db: db}
	a, err := db.Accounts().ByLogin(t.Context(), c.account)
	if err != nil {
		t.Fatal(err)
	}
	apps, codes := 0, 0
	for _, f := range b.factors(t, a) {
		switch f.Type {
		case record.FactorTOTP:
			apps++
		case record.FactorRecovery:
			codes++
		}
	}
	if apps != codes || apps > 1 {
		t.Errorf("after %s: %d apps and %d rows of recovery codes", c.last, apps, codes)
	}
	if want, certain := map[string]int{"added": 1, "using": 1, "used": 1, "removed": 0, "account": 0}[c.last]; certain && apps != want {
		t.Errorf("after %s: %d apps", c.last, apps)
	}
	live := b.sessions(t, a)
	if live != c.logins && (live != c.logins+1 || c.last != "using") {
		t.Errorf("after %s: %d sessions of %d logins", c.last, live, c.logins)
	}
	if apps == 0 {
		return
	}
	for _, code := range c.accepted {
		if again(t, b, c.account, code) {
			t.Errorf("after %s: %s is accepted again", c.last, code)
		}
	}
	if c.last == "using" {
		if got, want := again(t, b, c.account, c.inFlight), live == c.logins; got != want {
			t.Errorf("the code in flight has a session: %v; it is accepted again: %v", !want, got)
		}
	}
}

// again reports whether a code completes a login.
func again(t *testing.T, b *bench, name, code string) bool {
	t.Helper()
	proof := jotgate.TOTP(code)
	if !totp.IsCode(code) {
		proof = jotgate.RecoveryCode(code)
	}
	_, err := b.Logins().Continue(t.Context(), b.pending(t, name), proof, jotgate.Client{})
	if err != nil && !errors.Is(err, jotgate.ErrCodeNotValid) {
		t.Errorf("%s: %v", code, err)
	}
	return err == nil
}

func TestCrashOfFactors(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "factors.db")
		crashOfFactors(t, file, rounds.Of(5, 200), func() { checkSQLite(t, file) })
	})
	t.Run("postgres", func(t *testing.T) {
		cluster := pgtest.Start(t, pgtest.Options{Durable: true})
		crashOfFactors(t, cluster.Database(t), rounds.Of(3, 200), func() {})
	})
}

func crashOfFactors(t *testing.T, dsn string, kills int, between func()) {
	db, err := openDSN(t.Context(), dsn) // creates the tables
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	seen, logins, changes := map[string]int{}, 0, 0
	idle := func() bool { return logins == 0 || changes == 0 }
	// On a busy machine a child process may not come to a login in that time: more have longer.
	for round := 0; round < kills || idle() && round < kills+12; round++ {
		c := killFactors(t, dsn, noon.Add(time.Duration(round)*100*time.Hour), crashTime(round-kills+1))
		between()
		if c.account != "" {
			c.look(t, dsn)
		}
		seen[c.last]++
		logins, changes = logins+c.logins, changes+c.changes
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
	t.Logf("%d kills during %v; %d logins, %d changes of factors with a response", kills, seen, logins, changes)
	if idle() {
		t.Error("there is work that no child came to")
	}
}

// killFactors kills a child that changes factors after this time, and records its responses.
func killFactors(t *testing.T, dsn string, start time.Time, work time.Duration) *factorCrash {
	t.Helper()
	c := &factorCrash{}
	killAChild(t, dsn, []string{fmt.Sprintf("%s=%d", crashFactors, start.Unix())}, work, func(line string) { c.hear(strings.TrimSpace(line)) })
	return c
}
