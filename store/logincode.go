package store

import (
	"context"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Codes for logins by e-mail: the table jotgate_login_code.

var _ record.LoginCodes = addresses{}

// AddLoginCode implements record.LoginCodes.
func (ads addresses) AddLoginCode(ctx context.Context, c record.LoginCode, message record.Message) error {
	return ads.db.write(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, `INSERT INTO jotgate_login_code AS c (address, id, user_id, attempts, expires) VALUES ($1, $2, $3, 0, $4)
ON CONFLICT (address) DO UPDATE SET id = excluded.id, user_id = excluded.user_id, attempts = 0, expires = excluded.expires WHERE c.expires <= $5`,
			note(c.Address, 64), note(c.ID, 64), note(string(c.User), 64), c.Expires.UnixMicro(), c.Expires.Add(-c.Interval).UnixMicro())
		if err := orNotFound(n > 0, err); err != nil {
			return err
		}
		return addMessage(ctx, q, message)
	})
}

// FindLoginCode implements record.LoginCodes.
func (ads addresses) FindLoginCode(ctx context.Context, address string, now time.Time) (*record.LoginCode, error) {
	c := record.LoginCode{Address: address}
	found, err := ask(ctx, ads.db, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{&c.ID, &c.User, instant{&c.Expires}}, "SELECT id, user_id, expires FROM jotgate_login_code WHERE address = $1 AND expires > $2",
			note(address, 64), now.UnixMicro())
	})
	return &c, orNotFound(found, err)
}

// TryLoginCode implements record.LoginCodes.
func (ads addresses) TryLoginCode(ctx context.Context, address, id string, limit int, now time.Time) (user record.UserID, err error) {
	err = ads.db.write(ctx, func(ctx context.Context, q Queryer) error {
		found, err := one(ctx, q, []any{&user}, `UPDATE jotgate_login_code SET attempts = attempts + 1
WHERE address = $1 AND id = $2 AND attempts < $3 AND expires > $4 RETURNING user_id`, note(address, 64), note(id, 64), limit, now.UnixMicro())
		return orNotFound(found, err)
	})
	return user, err
}

// purgeLoginCodes deletes at most limit codes that expired before now.
func purgeLoginCodes(ctx context.Context, q Queryer, now time.Time, limit int) (int, error) {
	return run(ctx, q, "DELETE FROM jotgate_login_code WHERE address IN (SELECT address FROM jotgate_login_code WHERE expires < $1 LIMIT $2)", now.UnixMicro(), limit)
}
