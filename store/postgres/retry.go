package postgres

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
)

// tries is how often an operation is attempted that fails for another reason
// than a conflict with other transactions. The pauses in between are random, up
// to 5 ms after the first attempt and 50 ms after later ones.
const (
	tries         = 8
	shortestPause = 5 * time.Millisecond
	longestPause  = 50 * time.Millisecond
)

// retry runs do until it succeeds or cannot. It is the only place that decides
// about that. do reports whether it is certain that a failed attempt changed
// nothing.
//
// After a conflict with other transactions it retries until the context ends:
// each time, one of them has succeeded. This process repeats one such operation
// at a time, so that those it repeats are not in conflict with each other.
func (p *pool) retry(ctx context.Context, do func() (undone bool, err error)) error {
	pause, alone := shortestPause, false
	for failures := 0; ; {
		undone, err := do()
		if err == nil || !p.again(ctx, err) || !undone {
			return err
		}
		if !aborted(err) {
			if failures++; failures == tries {
				return err
			}
		} else if !alone {
			select {
			case <-ctx.Done():
				return err
			case p.repeating <- struct{}{}:
			}
			alone = true
			defer func() { <-p.repeating }()
		}
		p.metrics.Count(metrics.DBRetries, retryReason(err))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(jitter(pause)):
		}
		pause = min(2*pause, longestPause)
	}
}

// retryReason returns the reason of a retry as it is counted.
func retryReason(err error) string {
	switch c := code(err); {
	case c == "40001":
		return "serialization"
	case c == "40P01":
		return "deadlock"
	case c == "25006":
		return "read_only"
	case c == "26000", c == "42P05", c == "0A000":
		return "statement"
	case isExhausted(err):
		return "connections"
	}
	return "connection_lost"
}

// jitter returns a random part of the duration.
func jitter(d time.Duration) time.Duration {
	var b [2]byte
	_, _ = rand.Read(b[:])
	return d * time.Duration(binary.BigEndian.Uint16(b[:])) >> 16
}

// again reports whether another attempt may succeed after this failure, and records
// what the failure says about the connections.
func (p *pool) again(ctx context.Context, err error) bool {
	var refusal *jotgate.Error
	if errors.As(err, &refusal) || errors.Is(ctx.Err(), context.Canceled) {
		return false
	}
	switch c := code(err); {
	case aborted(err): // PostgreSQL asks the client to repeat the transaction
		return true
	case isExhausted(err): // the pool is smaller now: wait for one of its connections
	case c == "25006": // the server was demoted, or is read-only
		p.noteLost()
		return p.mayBeWritable()
	case c == "26000" || c == "42P05": // a prepared statement is missing, or already exists: see greet
		p.pooled.Store(true)
	case c == "0A000" && strings.Contains(err.Error(), "cached plan"): // a migration changed the table
	case c == "", strings.HasPrefix(c, "08"), strings.HasPrefix(c, "57P"), c == "25P03": // the connection is lost
		p.noteLost()
	default:
		return false
	}
	return ctx.Err() == nil // otherwise there was no response in time, and no caller waits any more
}

// noteLost has the other connections checked before their next use.
func (p *pool) noteLost() { p.lost.Store(p.now().UnixNano()) }

// aborted reports a transaction that PostgreSQL rolled back and asks the client
// to repeat (serialization_failure, deadlock_detected).
func aborted(err error) bool {
	c := code(err)
	return c == "40001" || c == "40P01"
}
