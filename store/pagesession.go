package store

import (
	"context"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Sessions of the login pages.

// SessionWithAccount implements record.PageSessions.
func (s *Store) SessionWithAccount(ctx context.Context, id string, user record.UserID) (session *record.Session, account *record.Account, err error) {
	key, ok := s.tables.key.encode(user)
	if !ok || !storable(id) {
		return nil, nil, jotgate.ErrNotFound
	}
	err = s.read(ctx, func(ctx context.Context, q Queryer) error {
		found, err := single(ctx, q, s.tables.scanBoth, s.texts.session, key, id, string(user))
		if err == nil {
			session, account = &found.session, found.account
		}
		return err
	})
	return session, account, err
}

// both is a session and its account.
type both struct {
	session record.Session
	account *record.Account
}

// scanBoth reads sessionColumns and then accountColumns.
func (t *tables) scanBoth(rows rowScanner) (b both, err error) {
	a := t.accountRow()
	b.session, err = scanSession(longRow{rows, a.columns()})
	b.account = a.account()
	return b, err
}

// longRow is a row that has further columns after those that Scan is called
// with.
type longRow struct {
	rows rowScanner
	more []any
}

func (r longRow) Scan(dest ...any) error { return r.rows.Scan(append(dest, r.more...)...) }

// sessionText returns the SELECT of a session with its account. The
// placeholders are the account's key, the session's id and its user_id.
func (t *tables) sessionText() string {
	columns := "s." + strings.ReplaceAll(sessionColumns, ", ", ", s.") + ", " + strings.Join(t.accountColumns(), ", ")
	text := "SELECT " + columns + " FROM " + quote(t.schema.Users) + " AS u" + t.groupJoin() + " CROSS JOIN jotgate_session AS s" +
		" WHERE u." + quote(t.schema.ID) + " = $1 AND s.id = $2 AND s.user_id = $3"
	if t.blacklist {
		text += ` AND NOT EXISTS (SELECT 1 FROM token_blacklist_outstandingtoken AS o
JOIN token_blacklist_blacklistedtoken AS b ON b.token_id = o.id WHERE o.jti = s.jti)`
	}
	return text
}
