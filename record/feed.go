package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Revocation is one entry of the revocation feed. It revokes a session, or a
// user's tokens that were issued before NotBefore. A user is identified by
// the id and the username, since tokens may hold either
// (Settings.UserIDField); only by Username if the account has given up that
// name.
type Revocation struct {
	Seq       int64     `json:"seq"`
	Session   string    `json:"sid,omitempty"`
	User      UserID    `json:"user_id,omitempty"`
	Username  string    `json:"username,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"` // with a user: tokens issued before it are rejected
	// Sessionless limits the entry to the user's tokens without a session, and
	// extends it to those issued in the second of NotBefore. Otherwise the entry
	// revokes all access tokens issued before NotBefore, but not the sessions: a
	// refresh then returns a token with the user's current rights.
	Sessionless bool `json:"sessionless,omitempty"`
	// Made is when the entry was inserted, by the database's clock, or the latest
	// time at which a token that it revokes may have been issued, if a node with
	// a fast clock issued it. The store sets it.
	Made time.Time `json:"made"`
	// Transaction is the transaction that inserted the entry, a number that only
	// a Horizon of the same database can compare.
	Transaction int64 `json:"-"`
}

// Revocations is the feed of revoked sessions and users.
//
// The feed is exact regardless of the nodes' clocks and of the order in which
// transactions commit: a reader that continues from the Next of its last page
// gets every entry that has become visible since then, exactly once. No entry
// is ordered, selected or skipped by a time, except by the first page, see
// Revocations.
type Revocations interface {
	// List lists the entries that became visible after the cursor, in
	// order of Seq, at most MaxRevocations. With the zero cursor, or one of
	// another epoch, it lists all entries that are still needed: it leaves out
	// those with a Made that is more than keep before now, the caller's clock,
	// and also more than keep before the database's clock.
	List(ctx context.Context, after RevocationCursor, now time.Time, keep time.Duration) (RevocationPage, error)
}

// MaxRevocations is the maximum number of entries in a page.
const MaxRevocations = 10_000

// RevocationPage is one page of the feed.
type RevocationPage struct {
	Entries []Revocation
	Next    RevocationCursor // where the page after this one begins
	More    bool             // that page has entries already
	Clock   time.Time        // the database's clock
}

// RevocationCursor is a position in the feed. The zero cursor is its start.
type RevocationCursor struct {
	// Epoch identifies the history of the database. It changes when a database is
	// restored from a backup or a standby takes over, because an earlier Horizon
	// then has no meaning.
	Epoch string
	// Seen is what earlier pages have listed completely.
	Seen Horizon
	// Target and Seq are set between the pages of one long listing: the next page
	// lists what Target sees and continues after Seq.
	Target Horizon
	Seq    int64
}

// Horizon is the set of transactions that a reader has seen: all below Min, and
// those below Max that are not in Running. In PostgreSQL it is a pg_snapshot;
// in SQLite, which has one writer at a time, Min and Max are equal. Horizons of
// one database are ordered by inclusion. The zero Horizon sees nothing.
type Horizon struct {
	Min, Max int64
	Running  []int64 // sorted; from Min to below Max
}

// Sees reports whether the transaction had committed (or failed).
func (h Horizon) Sees(transaction int64) bool {
	if transaction < h.Min {
		return true
	}
	_, running := slices.BinarySearch(h.Running, transaction)
	return transaction < h.Max && !running
}

// Covers reports whether h sees all that other sees.
func (h Horizon) Covers(other Horizon) bool {
	if other.Max > h.Max {
		return false
	}
	for _, t := range h.Running {
		if other.Sees(t) {
			return false
		}
	}
	return true
}

// String returns the form of PostgreSQL's pg_snapshot:
// MIN:MAX:RUNNING,RUNNING. For the zero Horizon it returns the empty string.
func (h Horizon) String() string {
	if h.Max == 0 {
		return ""
	}
	b := strconv.AppendInt(nil, h.Min, 10)
	b = strconv.AppendInt(append(b, ':'), h.Max, 10)
	b = append(b, ':')
	for i, t := range h.Running {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, t, 10)
	}
	return string(b)
}

// errHorizon says that a text is not a Horizon.
var errHorizon = errors.New("not of the form MIN:MAX:RUNNING,…")

// ParseHorizon parses what String returns.
func ParseHorizon(text string) (h Horizon, err error) {
	if text == "" {
		return Horizon{}, nil
	}
	low, rest, _ := strings.Cut(text, ":")
	high, running, ok := strings.Cut(rest, ":")
	if !ok {
		return Horizon{}, errHorizon
	}
	texts := []string{low, high}
	if running != "" {
		texts = append(texts, strings.Split(running, ",")...)
	}
	numbers, err := parseInts(texts)
	if err != nil {
		return Horizon{}, err
	}
	h = Horizon{Min: numbers[0], Max: numbers[1], Running: numbers[2:]}
	return h, h.check()
}

func parseInts(texts []string) (numbers []int64, err error) {
	numbers = make([]int64, len(texts))
	for i, text := range texts {
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, fmt.Errorf("%w: %w", errHorizon, err)
		}
	}
	return numbers, nil
}

// check returns an error unless 0 < Min ≤ Max and Running is sorted between
// them.
func (h Horizon) check() error {
	if h.Min <= 0 || h.Max < h.Min || !h.runningInOrder() {
		return errHorizon
	}
	return nil
}

func (h Horizon) runningInOrder() bool {
	last := h.Min - 1
	for _, t := range h.Running {
		if t <= last || t >= h.Max {
			return false
		}
		last = t
	}
	return true
}
