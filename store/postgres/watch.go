package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel is the name that nodes announce changes under (LISTEN, NOTIFY).
const channel = "jotgate"

// How the announcements are followed: silence is checked for a dead
// connection this often, and a lost one is made anew after these waits.
const (
	silence      = 2 * time.Second
	shortestWait = 50 * time.Millisecond
	longestWait  = time.Second
)

// watch is store.Driver.Watch, on a connection of its own.
func watch(ctx context.Context, config *pgx.ConnConfig, changed func()) error {
	wait := shortestWait
	for ctx.Err() == nil {
		if listen(ctx, config, changed) {
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

// listen follows one connection until it is lost and reports whether it ever
// stood.
func listen(ctx context.Context, config *pgx.ConnConfig, changed func()) bool {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return false
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return false
	}
	changed() // whatever was announced while nobody listened
	for {
		waiting, cancel := context.WithTimeout(ctx, silence)
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

// alive asks the server for a sign of life, and not for long.
func alive(ctx context.Context, conn *pgx.Conn) bool {
	asking, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return conn.Ping(asking) == nil
}
