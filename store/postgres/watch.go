package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/jotgate/jotgate/store"
)

// channel is the channel on which nodes announce changes (LISTEN, NOTIFY).
const channel = "jotgate"

// notify announces a change.
const notify = "SELECT pg_notify('" + channel + "', '')"

// After pingAfter without an announcement the connection is checked. A lost
// connection is opened again after waits from shortestWait to longestWait.
const (
	pingAfter    = 2 * time.Second
	shortestWait = 50 * time.Millisecond
	longestWait  = time.Second
)

// watch is store.Driver.Watch. It uses a separate connection. A pooler
// forwards no announcements, and other servers that speak PostgreSQL's protocol
// may have none: then it only waits, and the caller polls.
func (p *pool) watch(ctx context.Context, changed func()) error {
	wait := shortestWait
	for ctx.Err() == nil {
		if p.pooled.Load() || p.silent.Load() {
			<-ctx.Done()
			break
		}
		if p.listen(ctx, changed) {
			wait = shortestWait
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longestWait)
	}
	return ctx.Err()
}

// listen follows one connection until it is lost, and reports whether it was
// ever established.
func (p *pool) listen(ctx context.Context, changed func()) bool {
	conn, err := p.connect(ctx)
	if err != nil {
		return false
	}
	defer closeConn(ctx, conn)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		p.noteSilent(ctx, err)
		return false
	}
	changed() // announcements may have been missed before LISTEN
	for {
		waiting, cancel := context.WithTimeout(ctx, pingAfter)
		_, err := conn.WaitForNotification(waiting)
		quiet := waiting.Err() != nil && ctx.Err() == nil
		cancel()
		switch {
		case err == nil:
			changed()
		case !quiet || !alive(ctx, conn):
			return true
		}
	}
}

// alive reports whether the server responds within pingAfter.
func alive(ctx context.Context, conn *pgx.Conn) bool {
	asking, cancel := context.WithTimeout(ctx, pingAfter)
	defer cancel()
	return conn.Ping(asking) == nil
}

// notify is store.Driver.Notify.
func (p *pool) notify() string {
	if p.silent.Load() {
		return ""
	}
	return notify
}

// probeAnnouncements finds out whether changes can be announced: the statement is a
// part of the transactions that make them, and must not fail there.
func (p *pool) probeAnnouncements(ctx context.Context) error {
	err := p.read(ctx, func(ctx context.Context, q store.Queryer) error {
		_, err := q.ExecContext(ctx, notify)
		return err
	})
	if p.noteSilent(ctx, err) || code(err) == "25006" { // a standby: its primary may have announcements
		return nil
	}
	return err
}

// noteSilent records that the server has no announcements, if that is what the error
// says.
func (p *pool) noteSilent(ctx context.Context, err error) bool {
	if !unsupported(err) {
		return false
	}
	if !p.silent.Swap(true) {
		p.log.InfoContext(ctx, "the database has no announcements (LISTEN, NOTIFY): revocations of other nodes are polled", "every", "500ms", "address", p.where())
	}
	return true
}

// unsupported reports an error of a server, or a role, that does not have a function
// or a statement of PostgreSQL: feature_not_supported, syntax_error,
// undefined_function, insufficient_privilege.
func unsupported(err error) bool {
	switch code(err) {
	case "0A000", "42601", "42883", "42501":
		return true
	}
	return false
}
