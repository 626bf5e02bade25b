package jotgate_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// The crash test kills a process that refreshes, logs out, registers and
// changes passwords as fast as it can, with kill -9, and then checks in the
// database every response that it gave:
//
//	every rotation with a response is stored, or its retry works
//	every logout with a response holds
//	every registration and change of a password with a response is stored
//	no client is locked out
//
// The process is this test binary, run again with childDSN set. It prints a
// line after each response. `make crash` sets CRASHES for the long run.

const (
	childDSN = "JOTGATE_CRASH_CHILD"
	crashes  = "CRASHES" // "200/50": kills on SQLite and on PostgreSQL
)

func TestMain(m *testing.M) {
	if dsn := os.Getenv(childDSN); dsn != "" {
		if err := crashChild(dsn); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func openDSN(ctx context.Context, dsn string) (*store.Store, error) {
	if strings.HasPrefix(dsn, "postgres") {
		return postgres.Open(ctx, dsn, postgrestest.Options)
	}
	return sqlite.Open(ctx, dsn, sqlitetest.Options)
}

// crashGate returns a gate with the real clock, and a grace time longer than
// the restart of a slow machine.
func crashGate(db *store.Store) (*jotgate.Gate, error) {
	hasher, err := passwd.New("pbkdf2_sha256:100")
	if err != nil {
		return nil, err
	}
	return jotgate.New(jotgate.Settings{
		SecretKey: secret, Hasher: hasher, RefreshGrace: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler),
	}, db)
}

// crashChild does the work of six clients until it is killed: three refresh,
// the others log in and out, register, and change a password. Each line is a
// response.
func crashChild(dsn string) error {
	ctx := context.Background()
	db, err := openDSN(ctx, dsn)
	if err != nil {
		return err
	}
	if start := os.Getenv(crashFactors); start != "" {
		return crashFactorsChild(ctx, db, start)
	}
	gate, err := crashGate(db)
	if err != nil {
		return err
	}
	failed := make(chan error, 6)
	for client := range 3 {
		go func() { failed <- refreshForever(ctx, gate, client) }()
	}
	go func() { failed <- inAndOut(ctx, gate) }()
	go func() { failed <- registerForever(ctx, gate) }()
	go func() { failed <- changeForever(ctx, gate) }()
	return <-failed
}

// answered prints a line in one write, before the client continues: its next
// step must not count before the previous one.
func answered(format string, args ...any) { fmt.Printf(format+"\n", args...) }

func refreshForever(ctx context.Context, gate *jotgate.Gate, client int) error {
	token := os.Getenv("TOKEN" + strconv.Itoa(client))
	for {
		next, err := gate.Refresh(ctx, token, jotgate.Client{})
		if err != nil {
			return fmt.Errorf("client %d: %w", client, err)
		}
		token = next.Refresh
		answered("have %d %s", client, token)
	}
}

func inAndOut(ctx context.Context, gate *jotgate.Gate) error {
	for {
		account, err := gate.Store().Accounts().ByLogin(ctx, "alice")
		if err != nil {
			return err
		}
		tokens, err := gate.Sessions().Start(ctx, account, jotgate.ProvedElsewhere("test"), jotgate.Client{})
		if err != nil {
			return err
		}
		if err := gate.Logout(ctx, tokens.Refresh, jotgate.Client{}); err != nil {
			return err
		}
		answered("out 0 %s", tokens.Refresh)
	}
}

func TestCrash(t *testing.T) {
	onSQLite, onPostgres := 10, 5
	if text := os.Getenv(crashes); text != "" {
		if _, err := fmt.Sscanf(text, "%d/%d", &onSQLite, &onPostgres); err != nil {
			t.Fatalf("%s is %q: %v", crashes, text, err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "crash.db")
		crash(t, file, onSQLite, func(int) { checkSQLite(t, file) })
	})
	t.Run("postgres", func(t *testing.T) {
		cluster := pgtest.Start(t, pgtest.Options{Durable: true})
		crash(t, cluster.Database(t), onPostgres, func(round int) {
			if round%3 == 2 { // sometimes the server is killed, too
				cluster.Kill(t)
				cluster.Resume(t)
			}
		})
	})
}

// checkSQLite checks the integrity of the file.
func checkSQLite(t *testing.T, file string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		t.Fatalf("integrity_check: %s %v", verdict, err)
	}
}

// crash kills this many child processes on one database and checks the data
// after each.
func crash(t *testing.T, dsn string, kills int, between func(round int)) {
	db, err := openDSN(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := crashGate(db)
	if err != nil {
		t.Fatal(err)
	}
	alice := (&bench{Gate: gate, db: db}).user(t, "alice", nil)
	(&bench{Gate: gate, db: db}).user(t, "changer", nil)
	accounts := &crashed{words: []string{password}}
	var have [3]string
	for i := range have {
		tokens, err := gate.Sessions().Start(t.Context(), alice, jotgate.ProvedElsewhere("test"), jotgate.Client{})
		if err != nil {
			t.Fatal(err)
		}
		have[i] = tokens.Refresh
	}
	db.Close()
	refreshed, ended := 0, 0
	idle := func() bool { return refreshed == 0 || ended == 0 || accounts.made == 0 || accounts.changes == 0 }
	// On a busy machine a child process may not do all of its work in that time: more have longer.
	for round := 0; round < kills || idle() && round < kills+12; round++ {
		out, n := killAClient(t, dsn, crashTime(round-kills+1), &have, accounts)
		refreshed, ended = refreshed+n, ended+len(out)
		between(round)
		look(t, dsn, &have, out, accounts)
		if t.Failed() {
			t.Fatalf("after kill %d", round+1)
		}
	}
	t.Logf("%d kills; answered: %d refreshes, %d logouts, %d registrations, %d changes of a password",
		kills, refreshed, ended, accounts.made, accounts.changes)
	if idle() {
		t.Error("there is work that no child came to")
	}
}

// crashTime is how long a child works, in a round after the others (extra > 0) longer each time.
func crashTime(extra int) time.Duration {
	return (50*time.Millisecond + rand.N(250*time.Millisecond)) << min(max(extra, 0), 8)
}

// killAChild lets a child process work for this time after its first line, kills
// it, and hands each line to hear.
func killAChild(t *testing.T, dsn string, env []string, work time.Duration, hear func(line string)) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(append(os.Environ(), childDSN+"="+dsn), env...)
	child.Stderr = os.Stderr
	answers, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	killed := time.AfterFunc(wait.Limit, func() { _ = child.Process.Kill() })
	defer killed.Stop()
	first := true
	for lines := bufio.NewScanner(answers); lines.Scan(); {
		if first { // starting may take any time
			killed.Reset(work)
			first = false
		}
		hear(lines.Text())
	}
	var exit *exec.ExitError
	if err := child.Wait(); !errors.As(err, &exit) || exit.ExitCode() != -1 {
		t.Fatalf("the child was to be killed: %v", err)
	}
	if strings.HasPrefix(dsn, "postgres") {
		pgtest.Settle(t, dsn)
	}
}

// killAClient kills a child that refreshes and logs out, and records its responses:
// the token that each client has, and those that were logged out.
func killAClient(t *testing.T, dsn string, work time.Duration, have *[3]string, accounts *crashed) (out []string, refreshed int) {
	t.Helper()
	var env []string
	for i, token := range have {
		env = append(env, fmt.Sprintf("TOKEN%d=%s", i, token))
	}
	killAChild(t, dsn, env, work, func(line string) {
		var what, token string
		var client int
		if n, _ := fmt.Sscan(line, &what, &client, &token); n < 3 {
			return // the last line, truncated: no client read that response
		}
		switch whole := strings.Count(token, ".") == 2; {
		case what == "out" && whole:
			out = append(out, token)
		case what == "have" && whole:
			have[client], refreshed = token, refreshed+1
		default:
			accounts.hear(what, token)
		}
	})
	return out, refreshed
}

// look checks in the database everything that got a response.
func look(t *testing.T, dsn string, have *[3]string, out []string, accounts *crashed) {
	t.Helper()
	db, err := openDSN(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	gate, err := crashGate(db)
	if err != nil {
		t.Fatal(err)
	}
	accounts.look(t, gate)
	for i, token := range have {
		next, err := gate.Refresh(t.Context(), token, jotgate.Client{})
		if err != nil {
			t.Errorf("client %d is locked out: %v", i, err)
			continue
		}
		have[i] = next.Refresh
	}
	for _, token := range out {
		if _, err := gate.Refresh(t.Context(), token, jotgate.Client{}); err == nil {
			t.Error("a session came back that had been logged out")
		}
	}
}
