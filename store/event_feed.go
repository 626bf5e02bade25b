package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// The audit trail as a feed.
//
// PostgreSQL takes an event's id before its transaction commits, so that one with a
// higher id can become visible first, and a reader that continues after the highest id
// would miss the other. The feed is therefore ordered by transaction, then by id, and
// ends before the oldest transaction that is still open: all those below have ended,
// and none can add an event any more. A delay would have to be longer than every
// transaction, of which nothing is known.

// eventPosition is a place in the feed.
type eventPosition struct {
	history         string // see historyOf
	transaction, id int64
}

func (p eventPosition) String() string {
	return fmt.Sprintf("%s-%d-%d", p.history, p.transaction, p.id)
}

// historyOf shortens an epoch. In another history of the database, after a restore or a
// takeover, a position has no meaning.
func historyOf(epoch string) string {
	sum := sha256.Sum256([]byte(epoch))
	return hex.EncodeToString(sum[:6])
}

// positionOf reads a cursor, in the history of now.
func positionOf(cursor, history string) (p eventPosition, err error) {
	if p.history = history; cursor == "" || cursor == "0" {
		return p, nil
	}
	parts := strings.Split(cursor, "-")
	if len(parts) != 3 || parts[0] != history {
		return p, jotgate.ErrCursor
	}
	if p.transaction, err = strconv.ParseInt(parts[1], 10, 64); err == nil {
		p.id, err = strconv.ParseInt(parts[2], 10, 64)
	}
	if err != nil || p.String() != cursor {
		return p, jotgate.ErrCursor
	}
	return p, nil
}

// After implements record.Events.
func (es events) After(ctx context.Context, cursor string, limit int) ([]record.Event, error) {
	return ask(ctx, es.db, func(ctx context.Context, q Queryer) ([]record.Event, error) {
		return es.db.eventsAfter(ctx, q, cursor, limit)
	})
}

func (s *Store) eventsAfter(ctx context.Context, q Queryer, cursor string, limit int) ([]record.Event, error) {
	var clock time.Time
	here, err := s.horizon(ctx, q, &clock)
	if err != nil {
		return nil, err
	}
	history := historyOf(here.Epoch)
	from, err := positionOf(cursor, history)
	if err != nil {
		return nil, err
	}
	scan := func(rows rowScanner) (e record.Event, err error) {
		at := eventPosition{history: history}
		e, err = scanEventAnd(rows, &at.transaction)
		at.id = e.ID
		e.Cursor = at.String()
		return e, err
	}
	if !s.driver.Locks { // one writer: ids are in the order of commits
		return all(ctx, q, scan, "SELECT "+eventColumns+", 0 FROM jotgate_event WHERE id > $1 ORDER BY id LIMIT $2", from.id, limit)
	}
	return all(ctx, q, scan, "SELECT "+eventColumns+", txid FROM jotgate_event WHERE (txid, id) > ($1, $2) AND txid < $3 ORDER BY txid, id LIMIT $4",
		from.transaction, from.id, here.Seen.Min, limit)
}
