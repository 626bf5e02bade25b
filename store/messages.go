package store

import (
	"context"
	"sort"
	"time"

	"github.com/jotgate/jotgate/record"
)

// The outbox: e-mails that wait to be sent.

// Add implements record.Outbox. The message is due immediately.
func (ob outbox) Add(ctx context.Context, message record.Message) error {
	return ob.db.write(ctx, func(ctx context.Context, q Queryer) error { return addMessage(ctx, q, message) })
}

func addMessage(ctx context.Context, q Queryer, message record.Message) error {
	if !storable(message.To) {
		return refuse("email", "Not a valid string.")
	}
	_, err := run(ctx, q, `INSERT INTO jotgate_outbox (kind, user_id, recipient, language, detail, created, due)
VALUES ($1, $2, $3, $4, $5, $6, $6)`, string(message.Kind), note(string(message.User), 64), message.To, note(message.Language, 64),
		note(message.Detail, 1024), message.Created.UnixMicro())
	return err
}

var dueText = leaseText("jotgate_outbox", "", "id, kind, user_id, recipient, language, detail, created, attempts")

// Due implements record.Outbox. It is called every second and writes only if a message
// is due.
func (ob outbox) Due(ctx context.Context, now time.Time, limit int, lease time.Duration) (list []record.Message, err error) {
	due, err := ask(ctx, ob.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_outbox WHERE due <= $1 LIMIT 1", now.UnixMicro())
	})
	if err != nil || !due {
		return nil, err
	}
	err = ob.db.write(ctx, func(ctx context.Context, q Queryer) (err error) {
		list, err = all(ctx, q, scanMessage, dueText, now.Add(lease).UnixMicro(), now.UnixMicro(), limit)
		return err
	})
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID }) // RETURNING has no order
	return list, err
}

func scanMessage(rows rowScanner) (l record.Message, err error) {
	err = rows.Scan(&l.ID, &l.Kind, &l.User, &l.To, &l.Language, &l.Detail, instant{&l.Created}, &l.Attempts)
	return l, err
}

// Sent implements record.Outbox. Removing a message twice succeeds.
func (ob outbox) Sent(ctx context.Context, id int64) error {
	return ob.db.write(ctx, func(ctx context.Context, q Queryer) error {
		_, err := run(ctx, q, "DELETE FROM jotgate_outbox WHERE id = $1", id)
		return err
	})
}

// Failed implements record.Outbox. It returns ErrNotFound if there is
// no such message.
func (ob outbox) Failed(ctx context.Context, id int64, retry time.Time, reason string) error {
	return ob.db.write(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, "UPDATE jotgate_outbox SET attempts = attempts + 1, due = $1, reason = $2 WHERE id = $3",
			retry.UnixMicro(), note(reason, 512), id)
		return orNotFound(n > 0, err)
	})
}
