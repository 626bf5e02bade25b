package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/record"
)

// Access tokens that grant more than their user may do now. Removing a right
// revokes the access tokens of every user who had it. Their sessions
// continue, and the next refresh issues a token with the remaining rights.

// holder is an account whose access tokens are revoked.
type holder struct {
	id   record.UserID
	name string
}

// staleTokens revokes the access tokens that were issued before the next
// second: iat counts whole seconds, so a token with the current second may
// have been issued before the change. It also ends the sessions in which a holder
// acts for another user, whose tokens do not name the holder as their user.
func (s *Store) staleTokens(ctx context.Context, q Queryer, holders ...holder) error {
	if len(holders) == 0 {
		return nil
	}
	now, err := s.shared(ctx, q, s.driver.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return err
	}
	at := now.Truncate(time.Second).Add(time.Second)
	for page := range slices.Chunk(holders, 100) {
		args := []any{at.UnixMicro()}
		rows := make([]string, len(page))
		for i, h := range page {
			args = append(args, string(h.id), h.name)
			rows[i] = fmt.Sprintf("($%d, $%d, $1, %s)", len(args)-1, len(args), made(&s.driver, 1))
		}
		text := "INSERT INTO jotgate_revocation (user_id, username, not_before, made) VALUES " + strings.Join(rows, ", ")
		if _, err := run(ctx, q, text, args...); err != nil {
			return err
		}
	}
	if err := s.endActors(ctx, q, now, holders); err != nil {
		return err
	}
	return s.announce(ctx, q)
}

// staleAccount revokes the access tokens of one account.
func (s *Store) staleAccount(ctx context.Context, q Queryer, key any) error {
	list, err := s.holders(ctx, q, "u."+quote(s.tables.schema.ID)+" = $1", key)
	if err != nil {
		return err
	}
	return s.staleTokens(ctx, q, list...)
}

// staleMembers revokes the access tokens of the members of a group.
func (s *Store) staleMembers(ctx context.Context, q Queryer, group int64) error {
	l := s.tables.groups
	list, err := s.holders(ctx, q, "u."+quote(s.tables.schema.ID)+" IN (SELECT "+quote(l.user)+" FROM "+quote(l.table)+" WHERE group_id = $1)", group)
	if err != nil {
		return err
	}
	return s.staleTokens(ctx, q, list...)
}

func (s *Store) holders(ctx context.Context, q Queryer, where string, arg any) ([]holder, error) {
	sch := s.tables.schema
	return all(ctx, q, func(rows rowScanner) (h holder, err error) {
		err = rows.Scan(keyScan{&h.id}, &h.name)
		return h, err
	}, "SELECT u."+quote(sch.ID)+", u."+quote(sch.Username)+" FROM "+quote(sch.Users)+" AS u WHERE "+where, arg)
}
