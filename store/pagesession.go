package store

import "strings"

// Sessions of the login pages.

// longRow is a row that has further columns after those that Scan is called
// with.
type longRow struct {
	rows rowScanner
	more []any
}

func (r longRow) Scan(dest ...any) error { return r.rows.Scan(append(dest, r.more...)...) }

// sessionText returns the SELECT of a session with its account and what is related to that. The
// placeholders are the account's key, the session's id and its user_id.
func (t *tables) sessionText() string {
	columns := "s." + strings.ReplaceAll(sessionColumns, ", ", ", s.") + ", " + strings.Join(t.accountColumns(), ", ") + relatedColumns
	text := "SELECT " + columns + " FROM " + quote(t.schema.Users) + " AS u" + t.groupJoin() + " CROSS JOIN jotgate_session AS s" + t.relatedJoin("$3") +
		" WHERE u." + quote(t.schema.ID) + " = $1 AND s.id = $2 AND s.user_id = $3"
	if t.blacklist {
		text += ` AND NOT EXISTS (SELECT 1 FROM token_blacklist_outstandingtoken AS o
JOIN token_blacklist_blacklistedtoken AS b ON b.token_id = o.id WHERE o.jti = s.jti)`
	}
	return text + relatedOrder
}
