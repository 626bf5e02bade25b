package faults

// A disk that is full, or broken, from any of the first three hundred writes on, for a while: every request is answered,
// 503 where it must be; nothing is half there; and all works again when the disk does, in the same process.

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/store"
	"github.com/jotgate/jotgate/store/sqlite"
)

// writes are how many of the script's writes fail in turn.
const writes = 300

// TestDisk is not parallel: the disk is the whole process's.
func TestDisk(t *testing.T) {
	installDisk(t)
	empty := emptyDatabase(t)
	troubles, furthest := 0, int64(0)
	for first := int64(1); first <= writes; first += int64(either(13, 1)) {
		for _, c := range []struct {
			name   string
			code   int32
			during int64 // how many writes fail
		}{
			{"full", sqlite3.SQLITE_FULL, 25},
			{"broken for a moment", sqlite3.SQLITE_IOERR_WRITE, 1},
		} {
			t.Run(fmt.Sprintf("%s at write %d", c.name, first), func(t *testing.T) {
				d := openDisk(t, empty)
				disk.code.Store(c.code)
				disk.until.Store(first + c.during - 1)
				disk.writes.Store(0)
				disk.first.Store(first)
				d.script()
				furthest = max(furthest, disk.writes.Load())
				disk.first.Store(0) // there is room again
				troubles += d.busy
				d.worksAgain()
				d.verify()
				d.close()
				d.reopen()
				d.verify()
				d.close()
			})
		}
	}
	t.Logf("%d requests were answered 503", troubles)
	if furthest < writes {
		t.Errorf("the script writes %d times, fewer than %d", furthest, writes)
	}
	if troubles == 0 {
		t.Error("no write failed")
	}
}

// emptyDatabase makes a database with tables and no rows, closed.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "empty.db")
	db, err := sqlite.Open(t.Context(), file, sqlite.Options{BusyTimeout: wait.Limit})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// site is a gate with its endpoints in this process, on a database of its own.
type site struct {
	*load
	file   string
	db     *store.Store
	server *httptest.Server
	stop   context.CancelFunc
}

// openDisk opens a copy of a database and registers the first users.
func openDisk(t *testing.T, empty string) *site {
	t.Helper()
	text, err := os.ReadFile(empty)
	if err != nil {
		t.Fatal(err)
	}
	d := &site{file: filepath.Join(t.TempDir(), "jotgate.db")}
	if err := os.WriteFile(d.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	d.load = &load{t: t}
	d.reopen()
	d.load = newLoad(t, d.server.URL)
	s := &session{tokens: d.login("alice", password), last: time.Now()}
	d.live = append(d.live, s)
	return d
}

// reopen serves the file, on a new address.
func (d *site) reopen() {
	d.t.Helper()
	var err error
	if d.db, err = sqlite.Open(d.t.Context(), d.file, sqlite.Options{BusyTimeout: wait.Limit}); err != nil {
		d.t.Fatal(err)
	}
	hasher, err := passwd.New("pbkdf2_sha256:1000")
	if err != nil {
		d.t.Fatal(err)
	}
	gate, err := jotgate.New(jotgate.Settings{
		SecretKey: secret, Hasher: hasher, RefreshGrace: 10 * time.Minute, Logger: slog.New(slog.DiscardHandler),
	}, d.db)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(d.t.Context())
	d.stop = stop
	go func() { _ = gate.Run(ctx) }()
	for gate.RevocationAge() > time.Hour { // until it knows who was logged out
		time.Sleep(time.Millisecond)
	}
	endpoints, err := api.New(gate, api.Settings{})
	if err != nil {
		d.t.Fatal(err)
	}
	d.server = httptest.NewServer(endpoints)
	address := d.server.URL
	d.url = func(int) string { return address }
}

// close ends the server and asks the file whether it is sound.
func (d *site) close() {
	d.t.Helper()
	d.server.Close()
	d.stop()
	if err := d.db.Close(); err != nil {
		d.t.Errorf("closing: %v", err)
	}
	raw, err := sql.Open("sqlite", "file:"+d.file)
	if err != nil {
		d.t.Fatal(err)
	}
	defer raw.Close()
	var verdict string
	if err := raw.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
		d.t.Errorf("integrity_check: %s %v", verdict, err)
	}
	var orphans int
	if err := raw.QueryRow("SELECT COUNT(*) FROM pragma_foreign_key_check").Scan(&orphans); err != nil || orphans != 0 {
		d.t.Errorf("%d rows refer to nothing, %v", orphans, err)
	}
}

// script does everything that writes, in one order.
func (d *site) script() {
	candidates := []string{password}
	for turn := range 6 {
		d.register(fmt.Sprint("member", turn))
		d.refresh(d.live[0])
		d.inAndOut()
		d.ghost()
		d.stranger(1)
		candidates = d.change(turn, candidates)
	}
}

// worksAgain does all of it once more; nothing may be refused now.
func (d *site) worksAgain() {
	d.t.Helper()
	before := d.busy
	d.register("afterwards")
	d.refresh(d.live[0])
	d.inAndOut()
	if after := d.busy; after != before {
		d.t.Errorf("with room again %d requests were answered 503: %v", after-before, d.counts)
	}
	if d.members["afterwards"] == "" {
		d.t.Errorf("with room again nobody can be registered: %v", d.counts)
	}
}
