package api

// What a login costs beside its hash: statements, counted on the wire, and
// processor time.

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// newCounter is the API over a store with the user alice.
func newCounter(t testing.TB, db *store.Store, hasher string) *API {
	t.Helper()
	h, err := passwd.New(hasher)
	if err != nil {
		t.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{SecretKey: siteSecret, Hasher: h, Logger: slog.New(slog.DiscardHandler)}, db)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := gate.Accounts().MakePassword(t.Context(), goodPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Accounts().Create(t.Context(), &record.Account{Username: "alice", Password: encoded, IsActive: true}); err != nil {
		t.Fatal(err)
	}
	a, err := New(gate, Settings{Rates: map[string]string{"login": ""}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// logIn logs alice in through the handler, and must be let in.
func logIn(t testing.TB, a *API) {
	t.Helper()
	body := url.Values{"username": {"alice"}, "password": {goodPassword}}.Encode()
	r := httptest.NewRequest("POST", "/api/token/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	if a.ServeHTTP(w, r); w.Code != 200 {
		t.Fatalf("login: %d %s", w.Code, w.Body)
	}
}

// A login writes in one transaction: the session and its event. All else is
// looking, and the gate's own part of that is one SELECT before the hash, one
// of the second factors after it, and the same two beside the INSERT, which hold
// the account as it is.
func TestStatementsOfALogin(t *testing.T) {
	w := tap(t, pgtest.Database(t))
	o := postgrestest.Options
	o.MaxConns = 1
	db, err := postgres.Open(context.WithoutCancel(t.Context()), w.dsn, o)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	a := newCounter(t, db, "pbkdf2_sha256:1500")
	logIn(t, a) // statements are prepared, the network becomes known
	w.queries()
	logIn(t, a)
	want := []string{
		"SELECT jotgate_failure", // has this network, has anybody failed too often?
		"SELECT auth_user", "SELECT mfa_authenticator",
		"begin", "SELECT jotgate_password", // of auth_user, and the digest recorded for it, by one SELECT
		"SELECT mfa_authenticator", "INSERT jotgate_session", "INSERT jotgate_event", "commit",
		"SELECT jotgate_network", // known, and noted today
	}
	if d := cmp.Diff(want, w.queries()); d != "" {
		t.Errorf("statements of a login (-want +got):\n%s", d)
	}
}

// BenchmarkLoginBesideItsHash reports which part of a login's processor time is
// the hash: the rest is measured with a hash that costs nothing, the hash by
// itself. It should be 95 % or more.
func BenchmarkLoginBesideItsHash(b *testing.B) {
	onBothDatabases(b, func(b *testing.B, a *API, _ *store.Store) {
		logIn(b, a)
		hasher := &passwd.Hasher{} // argon2, the default
		encoded, err := hasher.Make(goodPassword)
		if err != nil {
			b.Fatal(err)
		}
		var hash, rest time.Duration
		for b.Loop() { // in turn, so that a busy machine is busy for both
			rest += cpuOf(b, 20, func() { logIn(b, a) })
			hash += cpuOf(b, 1, func() { hasher.Check(goodPassword, encoded) })
		}
		b.ReportMetric(100*float64(hash)/float64(hash+rest), "%hash")
	})
}

// onBothDatabases runs a benchmark with an API on SQLite and on PostgreSQL, whose
// password hash costs nothing.
func onBothDatabases(b *testing.B, bench func(b *testing.B, a *API, db *store.Store)) {
	dsn := pgtest.Database(b)
	for name, open := range map[string]func(context.Context) (*store.Store, error){
		"sqlite": func(ctx context.Context) (*store.Store, error) {
			return sqlite.Open(ctx, filepath.Join(b.TempDir(), "a.db"), sqlitetest.Options)
		},
		"postgres": func(ctx context.Context) (*store.Store, error) { return postgres.Open(ctx, dsn, postgrestest.Options) },
	} {
		b.Run(name, func(b *testing.B) {
			db, err := open(context.WithoutCancel(b.Context()))
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			bench(b, newCounter(b, db, "pbkdf2_sha256:1"), db)
		})
	}
}

// cpuOf is the processor time of this process that one of n runs takes.
func cpuOf(t testing.TB, n int, run func()) time.Duration {
	t.Helper()
	spent := func() time.Duration {
		var use syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
			t.Fatal(err)
		}
		return time.Duration(use.Utime.Nano() + use.Stime.Nano())
	}
	before := spent()
	for range n {
		run()
	}
	return (spent() - before) / time.Duration(n)
}

// wire listens to what goes to a PostgreSQL: frontend messages as in chapter
// "Message Formats" of its manual (Query, Parse, Bind).
type wire struct {
	dsn   string // of the way through the wire
	mu    sync.Mutex
	texts map[string]string // of prepared statements, by name
	asked []string
}

// tap puts a wire before the database at dsn.
func tap(t *testing.T, dsn string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	address, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	behind := address.Host
	address.Host = listener.Addr().String()
	w := &wire{dsn: address.String(), texts: map[string]string{}}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", behind)
			if err != nil {
				client.Close()
				return
			}
			go func() { _, _ = io.Copy(client, server); client.Close() }()
			go func() { w.listen(client, server); server.Close() }()
		}
	}()
	return w
}

// listen passes messages on and takes down the statements among them. The first
// message has no type.
func (w *wire) listen(client io.Reader, server io.Writer) {
	for typed := 0; ; typed = 1 {
		head := make([]byte, typed+4)
		if _, err := io.ReadFull(client, head); err != nil {
			return
		}
		body := make([]byte, int(binary.BigEndian.Uint32(head[typed:]))-4)
		if _, err := io.ReadFull(client, body); err != nil {
			return
		}
		if typed == 1 {
			w.note(head[0], strings.Split(string(body), "\x00"))
		}
		if _, err := server.Write(append(head, body...)); err != nil {
			return
		}
	}
}

// note takes a message down; its texts end with a NUL.
func (w *wire) note(kind byte, texts []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch kind {
	case 'Q':
		w.asked = append(w.asked, inShort(texts[0]))
	case 'P':
		w.texts[texts[0]] = texts[1]
	case 'B':
		w.asked = append(w.asked, inShort(w.texts[texts[1]]))
	}
}

// queries returns what was asked since the last time, in short. It leaves out the check of a
// connection that was idle for a while, which a slow machine needs anywhere.
func (w *wire) queries() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := slices.DeleteFunc(w.asked, func(s string) bool { return strings.HasPrefix(s, "SELECT pg_backend_pid") })
	w.asked = nil
	return asked
}

// inShort is the verb of a statement and the table that it is about.
func inShort(statement string) string {
	words := strings.Fields(strings.NewReplacer("(", " ", ")", " ", `"`, "").Replace(statement))
	for i, word := range words[:max(0, len(words)-1)] {
		if word == "FROM" || word == "INTO" || word == "UPDATE" {
			return fmt.Sprint(words[0], " ", words[i+1])
		}
	}
	return strings.Join(words, " ")
}
