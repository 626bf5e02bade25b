package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jotgate/jotgate/record"
)

// The feed of revoked sessions and users.

// revoke adds an entry to the feed and, if there are other nodes, notifies
// them when the transaction commits. The entry has the time of the database's
// clock, or r.Made if that is later: until then a node with a fast clock may
// have issued a token that r revokes.
func (s *Store) revoke(ctx context.Context, q Queryer, r record.Revocation) error {
	issued := r.Made
	if r.NotBefore.After(issued) {
		issued = r.NotBefore
	}
	_, err := run(ctx, q, s.texts.revoke, r.Session, string(r.User), r.Username, micros(r.NotBefore), issued.UnixMicro(), r.Sessionless)
	if err == nil {
		err = s.announce(ctx, q)
	}
	return err
}

// announce notifies the other nodes of a change when the transaction commits.
func (s *Store) announce(ctx context.Context, q Queryer) error {
	if s.driver.Notify == "" {
		return nil
	}
	_, err := q.ExecContext(ctx, s.driver.Notify)
	return err
}

// made returns the expression for an entry's time: the database's clock, or
// $n if that is later.
func made(d *Driver, n int) string { return fmt.Sprintf("%s(%s, $%d)", d.Later, d.Clock, n) }

// feedTexts writes the feed's statements for one database.
func (x *texts) feedTexts(d *Driver) {
	x.revoke = "INSERT INTO jotgate_revocation (session, user_id, username, not_before, made, sessionless) VALUES ($1, $2, $3, $4, " +
		made(d, 5) + ", $6)"
	columns := "SELECT seq, session, user_id, username, not_before, made, sessionless, " + d.Transaction + " FROM jotgate_revocation WHERE "
	x.unseen = columns + d.Unseen + " AND seq > $5 ORDER BY seq LIMIT $6"
	x.inForce = columns + d.InForce + " AND (made >= $2 OR session = '') AND seq > $3 ORDER BY seq LIMIT $4"
}

// List implements record.Revocations. A later statement finds every
// entry that a horizon sees, because all of them were committed before the
// horizon was read. An entry that commits late is not missed, because the
// previous horizon does not see it.
func (rs revocations) List(ctx context.Context, after record.RevocationCursor, now time.Time, keep time.Duration) (record.RevocationPage, error) {
	return ask(ctx, rs.db, func(ctx context.Context, q Queryer) (record.RevocationPage, error) {
		return rs.db.revocations(ctx, q, after, now, keep)
	})
}

func (s *Store) revocations(ctx context.Context, q Queryer, after record.RevocationCursor, now time.Time, keep time.Duration) (page record.RevocationPage, err error) {
	here, err := s.horizon(ctx, q, &page.Clock)
	if err != nil {
		return page, err
	}
	if after.Epoch != here.Epoch {
		after = record.RevocationCursor{Epoch: here.Epoch}
	}
	if after.Target.Max == 0 {
		after.Target, after.Seq = here.Seen, 0
	}
	if after.Seen.Max > 0 {
		page.Entries, err = all(ctx, q, scanRevocation, s.texts.unseen, after.Seen.Min, after.Seen.String(),
			after.Target.Max, after.Target.String(), after.Seq, record.MaxRevocations)
	} else {
		since := page.Clock
		if now.Before(since) {
			since = now
		}
		page.Entries, err = all(ctx, q, scanRevocation, s.texts.inForce, after.Target.String(), since.Add(-keep).UnixMicro(),
			after.Seq, record.MaxRevocations, after.Target.Max)
	}
	page.Next = record.RevocationCursor{Epoch: here.Epoch, Seen: after.Target}
	if page.More = len(page.Entries) == record.MaxRevocations; page.More {
		page.Next = after
		page.Next.Seq = page.Entries[len(page.Entries)-1].Seq
	}
	return page, err
}

var errNoEpoch = errors.New("the table jotgate_epoch is empty: restore it from a backup")

// horizon reads the epoch of the database, the transactions that are
// committed now, and the clock.
func (s *Store) horizon(ctx context.Context, q Queryer, clock *time.Time) (here record.RevocationCursor, err error) {
	var text string
	found, err := one(ctx, q, []any{&here.Epoch, &text, instant{clock}}, s.driver.Horizon)
	if err != nil {
		return here, err
	}
	if !found {
		return here, errNoEpoch
	}
	here.Seen, err = record.ParseHorizon(text)
	if err != nil {
		return here, fmt.Errorf("the database's snapshot %.80q: %w", text, err)
	}
	return here, nil
}

func scanRevocation(rows rowScanner) (r record.Revocation, err error) {
	err = rows.Scan(&r.Seq, &r.Session, &r.User, &r.Username, instant{&r.NotBefore}, instant{&r.Made}, &r.Sessionless, &r.Transaction)
	return r, err
}
