package store

import (
	"context"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Accounts at providers: allauth's table socialaccount_socialaccount.

// socialAccounts implements [record.SocialAccounts]. It is safe for concurrent use.
type socialAccounts struct{ s *Store }

var _ record.SocialAccounts = socialAccounts{}

// SocialAccounts implements record.Store. It returns nil if the database cannot have
// accounts at providers, because the table socialaccount_socialaccount refers to another
// table of users.
func (s *Store) SocialAccounts() record.SocialAccounts {
	if !s.tables.social {
		return nil
	}
	return socialAccounts{s}
}

const socialColumns = "id, provider, uid, CAST(extra_data AS text), last_login, date_joined"

func scanSocial(rows rowScanner) (a record.SocialAccount, err error) {
	err = rows.Scan(&a.ID, &a.Provider, &a.UID, &a.Data, moment{&a.LastLogin}, moment{&a.Joined})
	return a, err
}

// FindSocial implements record.SocialAccounts.
func (sa socialAccounts) FindSocial(ctx context.Context, provider, uid string) (*record.SocialAccount, error) {
	a := record.SocialAccount{Provider: provider, UID: uid}
	if !storable(provider) || !storable(uid) {
		return nil, jotgate.ErrNotFound
	}
	found, err := ask(ctx, sa.s, func(ctx context.Context, q Queryer) (bool, error) {
		return one(ctx, q, []any{&a.ID, keyScan{&a.User}, &a.Data, moment{&a.LastLogin}, moment{&a.Joined}},
			"SELECT id, user_id, CAST(extra_data AS text), last_login, date_joined FROM socialaccount_socialaccount WHERE provider = $1 AND uid = $2", provider, uid)
	})
	return &a, orNotFound(found, err)
}

// ListSocial implements record.SocialAccounts.
func (sa socialAccounts) ListSocial(ctx context.Context, user record.UserID) ([]record.SocialAccount, error) {
	key, ok := sa.s.tables.key.encode(user)
	if !ok {
		return nil, nil
	}
	list, err := ask(ctx, sa.s, func(ctx context.Context, q Queryer) ([]record.SocialAccount, error) { return listSocial(ctx, q, key) })
	for i := range list {
		list[i].User = user
	}
	return list, err
}

func listSocial(ctx context.Context, q Queryer, key any) ([]record.SocialAccount, error) {
	return all(ctx, q, scanSocial, "SELECT "+socialColumns+" FROM socialaccount_socialaccount WHERE user_id = $1 ORDER BY id LIMIT 100", key)
}

// ChangeSocial implements record.SocialAccounts.
func (sa socialAccounts) ChangeSocial(ctx context.Context, change record.SocialChange) error {
	key, ok := sa.s.tables.key.encode(change.User)
	if !ok {
		return jotgate.ErrNotFound
	}
	return sa.s.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return sa.s.changeSocial(ctx, q, key, &change) })
}

func (s *Store) changeSocial(ctx context.Context, q Queryer, key any, change *record.SocialChange) error {
	sch := s.tables.schema
	var password string // an UPDATE locks the row against concurrent changes
	found, err := one(ctx, q, []any{&password}, "UPDATE "+quote(sch.Users)+" AS u SET password = u.password WHERE u."+quote(sch.ID)+" = $1"+s.tables.activeOnly()+" RETURNING COALESCE(password, '')", key)
	if err := orNotFound(found, err); err != nil {
		return err
	}
	if err := s.spend(ctx, q, key, change.Spend, nil, nil); err != nil {
		return err
	}
	if change.IfVerified != "" {
		found, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM account_emailaddress WHERE user_id = $1 AND email = $2 AND verified", key, change.IfVerified)
		if err := orNotFound(found, err); err != nil {
			return err
		}
	}
	if change.IfSession != "" {
		found, err := one(ctx, q, []any{new(int)}, "SELECT 1 FROM jotgate_session WHERE id = $1 AND user_id = $2 AND ended IS NULL AND expires > $3", note(change.IfSession, 64), string(change.User), change.At.UnixMicro())
		if err := orNotFound(found, err); err != nil {
			return err
		}
	}
	if change.Disconnect != 0 {
		if err := s.disconnect(ctx, q, key, password, change); err != nil {
			return err
		}
	}
	if change.Connect == nil {
		return nil
	}
	return s.connect(ctx, q, key, change.User, change.Connect)
}

// connect inserts the row unless the user has it already.
func (s *Store) connect(ctx context.Context, q Queryer, key any, user record.UserID, a *record.SocialAccount) error {
	inserted, err := one(ctx, q, []any{&a.ID}, `INSERT INTO socialaccount_socialaccount (provider, uid, user_id, last_login, date_joined, extra_data)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING id`, a.Provider, a.UID, key, s.socialTime(a.LastLogin), s.socialTime(a.Joined), a.Data)
	if err != nil || inserted {
		return err
	}
	var owner record.UserID
	found, err := one(ctx, q, []any{&a.ID, keyScan{&owner}}, "SELECT id, user_id FROM socialaccount_socialaccount WHERE provider = $1 AND uid = $2", a.Provider, a.UID)
	if err == nil && (!found || owner != user) {
		err = jotgate.ErrConnected
	}
	return err
}

func (s *Store) socialTime(t time.Time) any { return s.driver.Time(t.UTC().Truncate(time.Microsecond)) }

// disconnect deletes a row of the user and allauth's tokens of it. The user's row, with
// this password, is locked.
func (s *Store) disconnect(ctx context.Context, q Queryer, key any, password string, change *record.SocialChange) error {
	factors, err := s.listFactors(ctx, q, key)
	if err != nil {
		return err
	}
	rows, err := listSocial(ctx, q, key)
	if err != nil {
		return err
	}
	others := idsExcept(rows, change.Disconnect)
	if change.IfPassword != password || record.FactorSet(factors) != change.IfFactors || !slices.Equal(others, change.IfRemaining) || len(others) == len(rows) {
		return jotgate.ErrNotFound
	}
	if err := s.dropTokens(ctx, q, "id = $1", change.Disconnect); err != nil {
		return err
	}
	at := slices.IndexFunc(rows, func(r record.SocialAccount) bool { return r.ID == change.Disconnect })
	if err := s.endBegunWith(ctx, q, rows[at].Provider, change); err != nil {
		return err
	}
	_, err = run(ctx, q, "DELETE FROM socialaccount_socialaccount WHERE id = $1 AND user_id = $2", change.Disconnect, key)
	return err
}

// endBegunWith ends the user's sessions that began with an account at the provider: a
// person who connected one has used it. Which account it was is not known of each.
func (s *Store) endBegunWith(ctx context.Context, q Queryer, provider string, change *record.SocialChange) error {
	if !change.EndSessions {
		return nil
	}
	ids, err := all(ctx, q, value[string], "SELECT id FROM jotgate_session WHERE user_id = $1 AND ended IS NULL AND provider = $2 AND id <> $3",
		string(change.User), provider, note(change.KeepSession, 64))
	for _, id := range ids {
		if _, err := s.endSessions(ctx, q, record.Ending{ID: id, User: change.User, Reason: record.EndedByProvider, Now: change.At}, ""); err != nil {
			return err
		}
	}
	return err
}

// idsExcept returns the ids of the rows other than one.
func idsExcept(rows []record.SocialAccount, id int64) (ids []int64) {
	for _, row := range rows {
		if row.ID != id {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// dropTokens deletes the tokens that allauth keeps of some accounts at providers:
// its foreign keys do not cascade.
func (s *Store) dropTokens(ctx context.Context, q Queryer, where string, args ...any) error {
	if !s.tables.whole("socialaccount_socialtoken") {
		return nil
	}
	_, err := run(ctx, q, "DELETE FROM socialaccount_socialtoken WHERE account_id IN (SELECT id FROM socialaccount_socialaccount WHERE "+where+")", args...)
	return err
}

// useSocial applies the use of an account at a provider by the user with this key.
func (s *Store) useSocial(ctx context.Context, q Queryer, key any, use record.SocialUse, now time.Time) error {
	if !s.tables.social {
		return jotgate.ErrNotFound
	}
	args := []any{s.socialTime(now), use.ID, key, use.Provider, use.UID}
	text := "UPDATE socialaccount_socialaccount SET last_login = $1"
	if use.Data != "" {
		text, args = text+", extra_data = $6", append(args, use.Data)
	}
	n, err := run(ctx, q, text+" WHERE id = $2 AND user_id = $3 AND provider = $4 AND uid = $5", args...)
	return orNotFound(n > 0, err)
}

// SignUpSocial implements record.SocialAccounts.
func (sa socialAccounts) SignUpSocial(ctx context.Context, a *record.Account, social *record.SocialAccount, verified bool, spend []record.Spent) error {
	s := sa.s
	var id record.UserID
	joined := s.joined(a)
	event := record.AttachedTo(ctx)
	ctx, err := s.beforeName(ctx, a.Username, "")
	if err != nil {
		return err
	}
	err = s.write(ctx, func(ctx context.Context, q Queryer) (err error) {
		if id, err = s.createAccount(ctx, q, a, joined); err != nil {
			return err
		}
		key, ok := s.tables.key.encode(id)
		if !ok {
			return jotgate.ErrNotFound
		}
		if err := s.spend(ctx, q, key, spend, nil, nil); err != nil {
			return err
		}
		if err := s.setAddress(ctx, q, id, key, a.Email, verified); err != nil {
			return err
		}
		if err := s.connect(ctx, q, key, id, social); err != nil {
			return err
		}
		return addAttached(ctx, q, event, id)
	})
	if err == nil {
		a.ID, a.DateJoined, social.User = id, joined, id
	}
	return s.rejected(err)
}

// SpendOnce implements record.SocialAccounts.
func (sa socialAccounts) SpendOnce(ctx context.Context, spent record.Spent) error {
	return sa.s.write(ctx, func(ctx context.Context, q Queryer) error {
		return sa.s.spend(ctx, q, nil, []record.Spent{spent}, nil, nil)
	})
}
