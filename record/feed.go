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

// Revocation is one entry of the revocation feed. It revokes a session, or the tokens of
// a user that were issued before NotBefore. A user is identified by id and username,
// since tokens may contain either (jotgate.Settings.UserIDField); by the username alone,
// if the account no longer has that name.
type Revocation struct {
	Seq       int64     `json:"seq"`
	Session   string    `json:"sid,omitempty"`
	User      UserID    `json:"user_id,omitempty"`
	Username  string    `json:"username,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"` // with a user: tokens issued before it are rejected
	// Sessionless means that the entry revokes only tokens without a session: those
	// issued before NotBefore or in the same second. If it is false, the entry revokes
	// all access tokens issued before NotBefore, but not the sessions: a refresh then
	// returns a token with the user's current rights.
	Sessionless bool `json:"sessionless,omitempty"`
	// Made is the time by the database's clock at which the entry was inserted, or the
	// latest time at which a revoked token may have been issued, if that is later
	// because the clock of a node is fast. The store sets it.
	Made time.Time `json:"made"`
	// Transaction is the number of the transaction that inserted the entry. Only a
	// Horizon of the same database can compare it.
	Transaction int64 `json:"-"`
}

// Revocations is the feed of revoked sessions and users.
//
// The feed is exact regardless of the nodes' clocks and of the order in which
// transactions commit: a reader that continues from the Next of its last page gets
// every entry that has become visible since then, exactly once. The order and the
// selection of entries do not depend on a clock, except that the first listing leaves
// out old entries.
type Revocations interface {
	// List lists the entries that became visible after the cursor, in order of Seq, at
	// most MaxRevocations. With the zero cursor, or one of another epoch, it lists all
	// entries that are still needed: it leaves out those whose Made is more than keep
	// before both now, the caller's time, and the time of the database.
	List(ctx context.Context, after RevocationCursor, now time.Time, keep time.Duration) (RevocationPage, error)
}

// MaxRevocations is the maximum number of entries in a page.
const MaxRevocations = 10_000

// RevocationPage is one page of the feed.
type RevocationPage struct {
	Entries []Revocation
	Next    RevocationCursor // the position after this page
	More    bool             // the next page already has entries
	Clock   time.Time        // the time of the database
}

// RevocationCursor is a position in the feed. The zero cursor is its start.
type RevocationCursor struct {
	// Epoch identifies the history of the database. It changes when the database is
	// restored from a backup or a standby takes over, because an earlier Horizon has
	// no meaning then.
	Epoch string
	// Seen is the transactions whose entries earlier pages have listed.
	Seen Horizon
	// Target and Seq are set between the pages of one long listing: the next page
	// lists the entries that Target sees and whose Seq is greater.
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

// Sees reports whether the transaction is in the set: it had ended, by a commit or a
// rollback, when the Horizon was taken.
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

// ParseHorizon parses the result of Horizon.String. It returns an error for a text that
// is not of that form.
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
