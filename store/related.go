package store

import (
	"context"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// An account with what other tables hold about it, by one query: a page needs
// several of these, and each would otherwise be a round trip.

// The kinds of the rows of relatedText.
const (
	relatedFactor = iota + 1
	relatedSocial
	relatedAddress
	relatedPending
	relatedNotBefore
	relatedRPID
)

// relatedText returns a SELECT of what is related to the account with the key $1,
// whose user_id in jotgate's own tables is the placeholder user: rows of one form,
// whose column kind says what they are. Each kind is bounded, as in the methods
// that select it alone.
func (t *tables) relatedText(user string) string {
	var arms []string
	arm := func(text string) { arms = append(arms, "SELECT * FROM ("+text+") AS r") }
	const noTimes, noNumbers = "CAST(NULL AS timestamptz), CAST(NULL AS timestamptz), ", ", CAST(NULL AS bigint), CAST(NULL AS bigint)"
	arm("SELECT 6 AS kind, CAST(0 AS bigint) AS num, name AS a, value AS b, '' AS c, CAST(NULL AS timestamptz) AS t1, CAST(NULL AS timestamptz) AS t2," +
		" CAST(NULL AS bigint) AS n1, CAST(NULL AS bigint) AS n2 FROM jotgate_setting WHERE name = '" + record.PinnedRPID + "'")
	arm("SELECT 5, 0, '', '', '', " + noTimes + "not_before, CAST(NULL AS bigint) FROM jotgate_not_before WHERE claim = 'id' AND value = " + user)
	for _, table := range []string{pendingTable(""), pendingTable(record.PendingDeletion)} {
		arm("SELECT 4, 0, purpose, email, nonce, " + noTimes + "created, expires FROM " + table + " AS p WHERE user_id = " + user + notLoggedIn +
			" ORDER BY created DESC, email LIMIT 100")
	}
	if t.addresses {
		arm("SELECT 3, id, email, CASE WHEN verified THEN '1' ELSE '' END, '', " + noTimes + "CAST(NULL AS bigint), CAST(NULL AS bigint)" +
			" FROM account_emailaddress WHERE user_id = $1 ORDER BY verified DESC, id LIMIT 1000")
	}
	if t.factors {
		arm("SELECT 1, id, type, '', CAST(data AS text), created_at, last_used_at" + noNumbers + " FROM mfa_authenticator WHERE user_id = $1 ORDER BY id LIMIT 100")
	}
	if t.social {
		arm("SELECT 2, id, provider, uid, CAST(extra_data AS text), date_joined, last_login" + noNumbers +
			" FROM socialaccount_socialaccount WHERE user_id = $1 ORDER BY id LIMIT 100")
	}
	return strings.Join(arms, " UNION ALL ")
}

// relatedColumns are the columns of relatedText, which relatedJoin joins as x.
const relatedColumns = ", COALESCE(x.kind, 0), COALESCE(x.num, 0), COALESCE(x.a, ''), COALESCE(x.b, ''), COALESCE(x.c, ''), x.t1, x.t2, x.n1, x.n2"

func (t *tables) relatedJoin(user string) string {
	return " LEFT JOIN (" + t.relatedText(user) + ") AS x ON TRUE"
}

// relatedOrder is that of the methods that select one kind.
const relatedOrder = " ORDER BY x.kind, x.num, x.n1 DESC, x.b"

// relatedRow is a row of relatedColumns.
type relatedRow struct {
	kind    int
	num     int64
	a, b, c string
	at      [2]time.Time
	made    [2]time.Time
}

func (r *relatedRow) columns() []any {
	return []any{&r.kind, &r.num, &r.a, &r.b, &r.c, moment{&r.at[0]}, moment{&r.at[1]}, instant{&r.made[0]}, instant{&r.made[1]}}
}

// relate returns what the rows say about an account.
func relate(a *record.Account, rows []relatedRow) *record.Related {
	all := &record.Related{Email: a.Email}
	email := strings.ToLower(a.Email)
	for _, r := range rows {
		switch r.kind {
		case relatedFactor:
			all.Factors = append(all.Factors, record.Factor{ID: r.num, User: a.ID, Type: record.FactorType(r.a), Data: r.c, Created: r.at[0], LastUsed: r.at[1]})
		case relatedSocial:
			all.Social = append(all.Social, record.SocialAccount{ID: r.num, User: a.ID, Provider: r.a, UID: r.b, Data: r.c, Joined: r.at[0], LastLogin: r.at[1]})
		case relatedAddress:
			all.Listed = true
			all.Verified = all.Verified || r.b != "" && r.a == email
		case relatedPending:
			all.Listed = all.Listed || r.a == string(record.PendingUnverified)
			all.Pending = append(all.Pending, record.Pending{User: a.ID, Purpose: record.Purpose(r.a), Email: r.b, Nonce: r.c, Created: r.made[0], Expires: r.made[1]})
		case relatedNotBefore:
			all.NotBefore = r.made[0]
		case relatedRPID:
			all.RPID = r.b
		}
	}
	return all
}

var _ record.PageSessions = sessions{}

// AccountWithRelated implements record.PageSessions.
func (ss sessions) AccountWithRelated(ctx context.Context, id record.UserID) (*record.Account, error) {
	_, account, err := ss.db.withRelated(ctx, ss.db.texts.related, ss.db.tables.scanRelated, id, note(string(id), 64))
	return account, err
}

// SessionWithAccount implements record.PageSessions.
func (ss sessions) SessionWithAccount(ctx context.Context, id string, user record.UserID) (*record.Session, *record.Account, error) {
	if !storable(id) {
		return nil, nil, jotgate.ErrNotFound
	}
	return ss.db.withRelated(ctx, ss.db.texts.session, ss.db.tables.scanBoth, user, id, string(user))
}

// both is an account, with its session if that was asked for, and a related row.
type both struct {
	session record.Session
	account *record.Account
	related relatedRow
}

func (s *Store) withRelated(ctx context.Context, text string, scan func(rowScanner) (both, error), user record.UserID, args ...any) (*record.Session, *record.Account, error) {
	key, ok := s.tables.key.encode(user)
	if !ok {
		return nil, nil, jotgate.ErrNotFound
	}
	list, err := ask(ctx, s, func(ctx context.Context, q Queryer) ([]both, error) {
		return all(ctx, q, scan, text, append([]any{key}, args...)...)
	})
	if err := orNotFound(len(list) > 0, err); err != nil {
		return nil, nil, err
	}
	rows := make([]relatedRow, len(list))
	for i := range list {
		rows[i] = list[i].related
	}
	first := &list[0]
	first.account.Related = relate(first.account, rows)
	return &first.session, first.account, nil
}

// scanRelated reads accountColumns and then relatedColumns.
func (t *tables) scanRelated(rows rowScanner) (b both, err error) {
	a := t.accountRow()
	err = rows.Scan(append(a.columns(), b.related.columns()...)...)
	b.account = a.account()
	return b, err
}

// scanBoth reads sessionColumns and then what scanRelated reads.
func (t *tables) scanBoth(rows rowScanner) (b both, err error) {
	a := t.accountRow()
	b.session, err = scanSession(longRow{rows, append(a.columns(), b.related.columns()...)})
	b.account = a.account()
	return b, err
}
