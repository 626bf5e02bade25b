package apikey_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/postgrestest"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/postgres"
	"github.com/jotgate/jotgate/store/sqlite"
)

// TestManyKeys uses a tenth of JOTGATE_KEYS keys, 1,000,000 in make scale and 2,000
// here: each costs one statement at its first use and none after that. It logs the
// memory of a cached key and the time of the first uses.
func TestManyKeys(t *testing.T) {
	n := 2000
	if text := os.Getenv("JOTGATE_KEYS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "jotgate.db")
		db, err := sqlite.Open(t.Context(), file, sqlitetest.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		useMany(t, db, "sqlite", "file:"+file+"?_pragma=busy_timeout(180000)", n)
	})
	if n == 2000 {
		return // the statements are counted above the database
	}
	t.Run("postgres", func(t *testing.T) {
		dsn := pgtest.Start(t, pgtest.Options{Durable: true}).Database(t)
		db, err := postgres.Open(t.Context(), dsn, postgrestest.Options)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		useMany(t, db, "pgx", dsn, n)
	})
}

func useMany(t *testing.T, db *store.Store, driver, dsn string, n int) {
	counted := &counted{Store: db}
	settings := jotgate.Settings{SecretKey: jotgate.Secret(strings.Repeat("a secret for tests", 4)), RememberCredentials: n / 5}
	gate, err := jotgate.New(settings, counted)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := apikey.New(gate, countedKeys{db.APIKeys(), counted}, apikey.Settings{}); err != nil {
		t.Fatal(err)
	}
	alice := &record.Account{Username: "alice", Email: "alice@example.com", IsActive: true, Password: "!", DateJoined: time.Now()}
	if err := db.Accounts().Create(t.Context(), alice); err != nil {
		t.Fatal(err)
	}
	used := insertMany(t, driver, dsn, alice.ID, n)

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	handler := gate.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	first := make([]time.Duration, len(used))
	for i, key := range used {
		began, asked := time.Now(), counted.asked.Load()
		if got := status(handler, key); got != 200 || counted.asked.Load()-asked != 1 {
			t.Fatalf("first use: %d with %d statements", got, counted.asked.Load()-asked)
		}
		first[i] = time.Since(began)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	asked := counted.asked.Load()
	for _, key := range used {
		if got := status(handler, key); got != 200 {
			t.Fatal(got)
		}
	}
	if again := counted.asked.Load() - asked; again != 0 {
		t.Errorf("%d statements for keys that are cached", again)
	}
	slices.Sort(first)
	t.Logf("%d keys, %d in use: %d bytes for each cached key; first use: median %v, p99 %v, longest %v", n, len(used),
		(int(after.HeapAlloc)-int(before.HeapAlloc))/len(used), first[len(first)/2], first[len(first)*99/100], first[len(first)-1])
}

// insertMany inserts n keys of the user and returns every tenth.
func insertMany(t *testing.T, driver, dsn string, user record.UserID, n int) (used []string) {
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for i := 0; i < n; {
		var b strings.Builder
		b.WriteString("INSERT INTO jotgate_api_key (id, digest, user_id, name, scopes, networks, created, expires) VALUES ")
		for row := 0; row < 500 && i < n; row++ {
			c, err := apikey.Settings{}.NewKey(user, apikey.Request{Name: "ci", Scopes: []string{"orders:read"}}, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if row > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "('%s','%s','%s','ci','orders:read','',%d,%d)", c.ID, c.Digest, user, c.Created.UnixMicro(), c.Expires.UnixMicro())
			if i%10 == 0 {
				used = append(used, c.Secret)
			}
			i++
		}
		if _, err := raw.ExecContext(t.Context(), b.String()); err != nil {
			t.Fatal(err)
		}
	}
	return used
}

// status is the status of a request with the key.
func status(handler http.Handler, key string) int {
	w := recorder{}
	handler.ServeHTTP(&w, request(key))
	return max(w.status, 200)
}

// recorder keeps the status alone.
type recorder struct {
	header http.Header
	status int
}

func (w *recorder) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}
func (w *recorder) WriteHeader(status int)      { w.status = status }
func (w *recorder) Write(p []byte) (int, error) { return len(p), nil }
