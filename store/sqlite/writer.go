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

// One goroutine does all writing. It takes the jobs that wait, runs each in a
// savepoint of one BEGIN IMMEDIATE … COMMIT, and answers all of them after the
// commit is on disk: one fsync for many, and none told too early.
//
// A job's statements run without its caller's context: SQLite answers an
// interrupted write by rolling back the whole transaction, and with it the
// work of strangers. The waits are bounded otherwise: in the queue by the
// caller's context, for other processes by the busy timeout.

// batchLimit is how many jobs share a commit at most.
const batchLimit = 128

// job is one transaction to be.
type job struct {
	do    func(ctx context.Context, q store.Queryer) error
	state atomic.Int32 // waiting, then begun or given up
	err   error        // set before done is closed
	done  chan struct{}
}

const (
	waiting = iota
	begun
	givenUp
)

// errClosed answers writes after Close.
var errClosed = errors.New("the store is closed")

// writer owns the connection that writes.
type writer struct {
	db   *sql.DB
	jobs chan *job
	stop chan struct{}
	once sync.Once
	gone chan struct{} // closed when the goroutine has ended

	conn *sql.Conn // of the goroutine alone; nil: to be opened
	q    *prepared
}

func newWriter(db *sql.DB) *writer {
	w := &writer{db: db, jobs: make(chan *job, batchLimit), stop: make(chan struct{}), gone: make(chan struct{})}
	go w.loop()
	return w
}

// write is store.Driver.Write.
func (w *writer) write(ctx context.Context, do func(ctx context.Context, q store.Queryer) error) error {
	// With room in the queue and a context that is over, select would choose
	// either: who has left already must find nothing done.
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

// await is the outcome of a job in the queue.
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
	<-j.done // begun: it is answered with what became of it
	return j.err
}

// close lets the jobs that wait finish and ends the goroutine.
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

// finish runs what came in before the stop.
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

// batch adds to first what waits now, leaving out who gave up.
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

// commit runs the jobs in one transaction and answers them. When the commit
// itself fails by a constraint, one job is to blame: each gets its own.
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

// answer ends a job: with the error of the whole transaction, or its own.
func (j *job) answer(whole error) {
	if whole != nil {
		j.err = whole
	}
	close(j.done)
}

// constraintCode is the primary result code of a violated constraint.
const constraintCode = 19

// together runs the jobs between BEGIN IMMEDIATE and COMMIT. Its error is that
// of the whole; a job's own stands in the job.
func (w *writer) together(list []*job) (err error) {
	ctx := context.Background()
	q, err := w.connect(ctx)
	if err != nil {
		return err
	}
	if err := exec(ctx, q, "BEGIN IMMEDIATE"); err != nil {
		return w.failed(err)
	}
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

// inside runs one job. Among others it has a savepoint, and its failure takes
// back its own work only; the error returned is one that spoils the whole
// transaction.
func inside(ctx context.Context, q store.Queryer, j *job, savepoint bool) error {
	if !savepoint {
		j.err = try(ctx, q, j.do)
		return nil
	}
	if err := exec(ctx, q, "SAVEPOINT job"); err != nil {
		return err
	}
	if j.err = try(ctx, q, j.do); j.err != nil {
		// SQLite itself rolls back everything when the disk is full or
		// fails: then there is no savepoint and the whole has failed.
		if err := exec(ctx, q, "ROLLBACK TO job"); err != nil {
			return errors.Join(j.err, err)
		}
	}
	return exec(ctx, q, "RELEASE job")
}

// try keeps a panic of one job from ending the goroutine of all.
func try(ctx context.Context, q store.Queryer, do func(context.Context, store.Queryer) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return do(ctx, q)
}

// failed rolls back. A refusal leaves the connection as it was; after any
// other failure a new one is made, which is always right and seldom needed.
func (w *writer) failed(err error) error {
	rollback := exec(context.Background(), w.q, "ROLLBACK")
	if rollback != nil || !harmless(err) {
		w.drop()
	}
	return err
}

// harmless reports an error that says nothing against the connection.
func harmless(err error) bool {
	var refusal *jotgate.Error
	return errors.As(err, &refusal) || code(err)&0xff == constraintCode || code(err)&0xff == busy
}

// connect is the connection's statements, opening it where there is none.
func (w *writer) connect(ctx context.Context) (*prepared, error) {
	if w.conn == nil {
		conn, err := w.db.Conn(ctx)
		if err != nil {
			return nil, err
		}
		w.conn, w.q = conn, newPrepared(conn.PrepareContext)
	}
	return w.q, nil
}

// drop closes the connection for good, so that the next job opens another.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	_ = w.q.close()
	_ = w.conn.Raw(func(any) error { return sqldriver.ErrBadConn })
	_ = w.conn.Close()
	w.conn, w.q = nil, nil
}

// exec runs a statement that has no arguments and no rows.
func exec(ctx context.Context, q store.Queryer, text string) error {
	_, err := q.ExecContext(ctx, text)
	return err
}
