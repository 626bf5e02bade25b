package sqlite

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/store"
)

// One goroutine does all writing. It collects the waiting jobs, runs each in
// a savepoint of one BEGIN IMMEDIATE … COMMIT, and returns their results
// after the commit is on disk: one fsync serves many writes, and none returns
// too early.
//
// The statements of a job run without its caller's context, because SQLite
// reacts to an interrupted write by rolling back the whole transaction,
// including the work of other callers. The waits have other bounds: the
// caller's context in the queue, and the busy timeout for other processes.

// batchLimit is the maximum number of jobs in one commit.
const batchLimit = 128

// job is one transaction to run.
type job struct {
	do    func(ctx context.Context, q store.Queryer) error
	state atomic.Int32 // waiting, then begun or givenUp
	err   error        // set before done is closed
	done  chan struct{}
}

const (
	waiting = iota
	begun
	givenUp
)

// errClosed is returned by writes after Close.
var errClosed = errors.New("the store is closed")

// writer owns the connection that writes.
type writer struct {
	db   *sql.DB
	jobs chan *job
	stop chan struct{}
	once sync.Once
	gone chan struct{} // closed after the goroutine has ended

	conn *sql.Conn // used by the goroutine only; nil if it has to be opened
	q    *prepared
	logs *logs // those of conn; nil if not known

	file    *file // nil in some tests
	readers *reader
}

func newWriter(db *sql.DB) *writer {
	w := &writer{db: db, jobs: make(chan *job, batchLimit), stop: make(chan struct{}), gone: make(chan struct{})}
	go w.loop()
	return w
}

// write is store.Driver.Write.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	// If the queue has room and the context is done, select would choose
	// either case, but a write whose caller has already left must do nothing.
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{do: do, done: make(chan struct{})}
	select {
	case w.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.gone:
		return errClosed
	}
	return w.await(ctx, j)
}

// await returns the outcome of a queued job.
func (w *writer) await(ctx context.Context, j *job) error {
	select {
	case <-j.done:
		return j.err
	case <-w.gone:
	case <-ctx.Done():
	}
	if j.state.CompareAndSwap(waiting, givenUp) {
		if err := ctx.Err(); err != nil {
			return err
		}
		return errClosed
	}
	<-j.done // the job has begun: return its outcome
	return j.err
}

// close finishes the waiting jobs and ends the goroutine.
func (w *writer) close() error {
	w.once.Do(func() { close(w.stop) })
	<-w.gone
	return w.db.Close()
}

func (w *writer) loop() {
	defer close(w.gone)
	defer w.drop()
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.batch(j))
		case <-w.stop:
			w.finish()
			return
		}
	}
}

// finish runs the jobs that were queued before the stop.
func (w *writer) finish() {
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.batch(j))
		default:
			return
		}
	}
}

// batch returns first and the jobs waiting now, without those whose caller
// gave up.
func (w *writer) batch(first *job) []*job {
	var list []*job
	for j := first; ; {
		if j.state.CompareAndSwap(waiting, begun) {
			list = append(list, j)
		}
		if len(list) == batchLimit {
			return list
		}
		select {
		case j = <-w.jobs:
		default:
			return list
		}
	}
}

// commit runs the jobs in one transaction and ends them. If the commit itself
// violates a constraint, one job is to blame, and each job runs again in its
// own transaction.
func (w *writer) commit(list []*job) {
	if len(list) == 0 {
		return
	}
	err := w.together(list)
	alone := len(list) > 1 && code(err)&0xff == constraintCode
	for _, j := range list {
		if alone {
			w.commit([]*job{j})
		} else {
			j.answer(err)
		}
	}
}

// answer ends a job with the error of the whole transaction, or with its own.
func (j *job) answer(whole error) {
	if whole != nil {
		j.err = whole
	}
	close(j.done)
}

// constraintCode is the primary result code of a violated constraint.
const constraintCode = 19

// together runs the jobs between BEGIN IMMEDIATE and COMMIT. It returns the
// error of the whole transaction; each job holds its own error.
func (w *writer) together(list []*job) (err error) {
	ctx := context.Background()
	if err := w.current(); err != nil {
		return err
	}
	q, err := w.connect(ctx)
	if err != nil {
		return err
	}
	if err := exec(ctx, q, "BEGIN IMMEDIATE"); err != nil {
		return w.failed(err)
	}
	w.noteLogs()
	for _, j := range list {
		if err := inside(ctx, q, j, len(list) > 1); err != nil {
			return w.failed(err)
		}
	}
	if len(list) == 1 && list[0].err != nil {
		return w.failed(list[0].err)
	}
	if err := exec(ctx, q, "COMMIT"); err != nil {
		return w.failed(err)
	}
	return nil
}

// inside runs one job. If other jobs share the transaction, it uses a
// savepoint, so that a failure undoes only this job's work. It returns an
// error that makes the whole transaction fail.
func inside(ctx context.Context, q store.Queryer, j *job, savepoint bool) error {
	if !savepoint {
		j.err = try(ctx, q, j.do)
		return nil
	}
	if err := exec(ctx, q, "SAVEPOINT job"); err != nil {
		return err
	}
	if j.err = try(ctx, q, j.do); j.err != nil {
		// If the disk is full or fails, SQLite rolls back everything: the
		// savepoint no longer exists and the whole transaction has failed.
		if err := exec(ctx, q, "ROLLBACK TO job"); err != nil {
			return errors.Join(j.err, err)
		}
	}
	return exec(ctx, q, "RELEASE job")
}

// try recovers from a panic of one job, so that the shared goroutine
// continues.
func try(ctx context.Context, q store.Queryer, do func(context.Context, store.Queryer) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return do(ctx, q)
}

// failed rolls back. After a refusal the connection is kept; after any other
// failure a new one is opened, which is always safe and rarely needed.
func (w *writer) failed(err error) error {
	rollback := exec(context.Background(), w.q, "ROLLBACK")
	if rollback != nil || !harmless(err) {
		w.drop()
	}
	return err
}

// harmless reports whether the connection can be kept after err.
func harmless(err error) bool {
	var refusal *jotgate.Error
	return errors.As(err, &refusal) || code(err)&0xff == constraintCode || code(err)&0xff == busy
}

// connect returns the connection's statements; it opens the connection if
// there is none.
func (w *writer) connect(ctx context.Context) (*prepared, error) {
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		w.conn, w.q = conn, newPrepared(conn.PrepareContext)
		w.logs = nil
	}
	return w.q, nil
}

// drop closes the connection, so that the next job opens another.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	_ = w.q.close()
	_ = w.conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	_ = w.conn.Close()
	w.conn, w.q = nil, nil
}

// exec runs a statement without arguments or rows.
func exec(ctx context.Context, q store.Queryer, text string) error {
	_, err := q.ExecContext(ctx, text)
	return err
}
