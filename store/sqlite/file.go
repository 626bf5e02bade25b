package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// SQLite continues to use an open file that was deleted or replaced, so that its writes
// would be lost. Each batch of writes therefore compares the file at the path with the
// open one, and reads do so from time to time: while the file is missing, every operation
// fails, and if there is another file, it is opened instead of the old one. The same
// comparison is made with the log and its index, which belong to the file: the content of
// a deleted log is first copied into the file.

// readsBetween is how many reads rely on the comparison before.
const readsBetween = 8

// file is the file of a database.
type file struct {
	path    string
	log     [2]string // the paths of the write-ahead log and its index
	opened  identity  // used by the goroutine of the writer only, after open
	last    atomic.Pointer[identity]
	reads   atomic.Uint64
	suspect atomic.Bool // set until the writer has found a file
	logs    atomic.Pointer[logs]
	logger  *slog.Logger
}

// logs are the write-ahead log and its index.
type logs [2]identity

// findLogs returns what is at their paths.
func (f *file) findLogs() (found logs) {
	for i, path := range f.log {
		found[i], _ = identify(path)
	}
	return found
}

// logsChanged reports whether one of used, which are open, was deleted or replaced.
func (f *file) logsChanged(used *logs) bool {
	if used == nil {
		return false
	}
	found := f.findLogs()
	return !found[0].same(used[0]) || !found[1].same(used[1])
}

// errMissing is returned while the file is missing.
var errMissing = errors.New("the database file was deleted or moved away")

func newFile(path string, logger *slog.Logger) (*file, error) {
	found, err := identify(path)
	f := &file{path: path, log: [2]string{path + "-wal", path + "-shm"}, opened: found, logger: logger}
	f.last.Store(&found)
	return f, err
}

// look returns what is at the path now.
func (f *file) look() (identity, error) {
	found, err := identify(f.path)
	if err != nil {
		return found, fmt.Errorf("%w: %w", errMissing, err)
	}
	return found, nil
}

// changed reports whether the file at the path is not the one that is open.
func (f *file) changed() bool {
	if f.reads.Add(1)%readsBetween == 0 {
		found, err := f.look()
		if err != nil || !found.same(*f.last.Load()) || f.logsChanged(f.logs.Load()) {
			f.suspect.Store(true)
		}
	}
	return f.suspect.Load()
}

// reader has the connections that read.
type reader struct {
	mu   sync.RWMutex // held while one is used
	open func() *sql.DB
	db   *sql.DB
	q    *prepared
	file *file
	w    *writer
}

func newReader(db *sql.DB, open func() *sql.DB, f *file, w *writer) *reader {
	r := &reader{db: db, q: newPrepared(db.PrepareContext), open: open, file: f, w: w}
	w.file, w.readers = f, r
	return r
}

// read is store.Driver.Read.
func (r *reader) read(ctx context.Context, do func(context.Context, store.Queryer) error) error {
	if r.file.changed() { // the writer opens the file that is there now
		if err := r.w.write(ctx, func(context.Context, store.Queryer) error { return nil }); err != nil {
			return err
		}
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	return do(ctx, r.q)
}

// pool returns the connections of now.
func (r *reader) pool() *sql.DB {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.db
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.q.close(), r.db.Close())
}

// current makes sure that the connections are those of the file at the path.
func (w *writer) current() error {
	if w.file == nil {
		return nil // of a test
	}
	found, err := w.file.look()
	if err != nil {
		w.file.suspect.Store(true)
		return err
	}
	if !found.same(w.file.opened) {
		if err := w.readers.replace(w.leave); err != nil {
			return err // the next write tries again
		}
		w.file.opened = found
		w.file.last.Store(new(found))
	} else if w.conn != nil && w.file.logsChanged(w.logs) {
		if err := w.readers.replace(w.keepLog); err != nil {
			return err
		}
	}
	w.file.suspect.Store(false)
	return nil
}

// replace opens new connections after leave has closed that of the writer. It waits
// for the reads of the old file that have begun.
func (r *reader) replace(leave func() error) error {
	const pause = 10 * time.Millisecond
	for tries := 0; !r.mu.TryLock(); tries++ {
		if tries == 200 {
			return jotgate.ErrUnavailable.Because(errors.New("the database file was replaced, and reads of the old one go on"))
		}
		time.Sleep(pause)
	}
	defer r.mu.Unlock()
	_ = errors.Join(r.q.close(), r.db.Close())
	err := leave()
	r.db = r.open()
	r.q = newPrepared(r.db.PrepareContext)
	return err
}

// leave closes the connection of a file that is no longer at the path; SQLite then
// does not remove the log. If the log is still at the path, leave removes it, because
// SQLite would apply it to the new file; a log of another process is not removed.
func (w *writer) leave() error {
	own := w.logs != nil && w.file.findLogs()[0].same(w.logs[0])
	w.drop()
	if own {
		_ = errors.Join(os.Remove(w.file.log[0]), os.Remove(w.file.log[1]))
	}
	return nil
}

// keepLog copies what a log that was deleted has into the file, and closes its
// connection. If another process has written a log since then, the two cannot be
// merged: to copy one while the other is used would damage the database. Closing the
// connection copies this one if the other process has ended, and no other otherwise.
func (w *writer) keepLog() error {
	wal, err := os.Stat(w.file.log[0])
	if kept := err != nil || wal.Size() == 0 || w.file.findLogs()[0].same(w.logs[0]); !kept {
		w.file.logger.Error("the write-ahead log of the database was deleted, and another process wrote a new one: the last changes of one of them are lost", "file", w.file.log[0])
	} else if err := exec(context.Background(), w.q, "PRAGMA wal_checkpoint"); err != nil {
		return err
	} else {
		w.file.logger.Warn("the write-ahead log of the database, or its index, was deleted while it was in use; no change is lost", "file", w.file.path)
	}
	w.drop()
	return nil
}

// noteLogs notes which log the open connection writes.
func (w *writer) noteLogs() {
	if w.logs == nil && w.file != nil {
		if found := w.file.findLogs(); found[0].exists() && found[1].exists() {
			w.logs = &found
			w.file.logs.Store(&found)
		}
	}
}
