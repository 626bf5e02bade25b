package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is the channel on which nodes announce changes (LISTEN, NOTIFY).
const channel = "jotgate"

// After pingAfter without an announcement the connection is checked. A lost
// connection is opened again after waits from shortestWait to longestWait.
const (
	pingAfter    = 2 * time.Second
	shortestWait = 50 * time.Millisecond
	longestWait  = time.Second
)

// watch is store.Driver.Watch. It uses a separate connection. A pooler
// forwards no announcements: then it only waits, and the caller polls.
func (p *pool) watch(ctx context.Context, changed func()) error {
	wait := shortestWait
	for ctx.Err() == nil {
		if p.pooled.Load() {
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
