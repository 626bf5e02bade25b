package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// Similar usernames: the table jotgate_name. A new name inserts one row for each
// of its skeletons, in the transaction that writes the name; the primary key decides
// which of two similar names comes first.

// nameDigest is what jotgate_name stores of a text: no name remains there when Django
// deletes an account.
func nameDigest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:16])
}

// folds returns the values of fold for a name, in the order in which every
// transaction locks them.
func folds(name string) []string {
	list := names.Skeletons(name)
	for i, skeleton := range list {
		list[i] = nameDigest(skeleton)
	}
	slices.Sort(list)
	return list
}

// Check implements record.Names.
func (us usernames) Check(ctx context.Context, name string, except record.UserID) error {
	s := us.db
	if !storable(name) {
		return nil
	}
	if a, err := s.Accounts().ByLogin(ctx, name); err == nil && a.ID != except {
		return jotgate.ErrTaken
	} else if err != nil && !errors.Is(err, jotgate.ErrNotFound) {
		return err
	}
	if s.tables.schema.SimilarNames {
		return nil
	}
	if _, err := s.beforeName(ctx, name, except); err != nil {
		return err
	}
	return s.read(ctx, func(ctx context.Context, q Queryer) error {
		for _, fold := range folds(name) {
			if other, err := s.bearer(ctx, q, fold, except); err != nil || other != "" {
				return similarTo(other, err)
			}
		}
		return nil
	})
}

func similarTo(other record.UserID, err error) error {
	if err != nil {
		return err
	}
	return jotgate.ErrTaken.Because(fmt.Errorf("%w of the user with the id %s", record.ErrSimilarName, other))
}

// bearer returns another user than except who has a name with this fold, or "".
func (s *Store) bearer(ctx context.Context, q Queryer, fold string, except record.UserID) (record.UserID, error) {
	rows, err := all(ctx, q, scanNameRow, "SELECT twin, user_id, name FROM jotgate_name WHERE fold = $1 AND user_id <> $2 ORDER BY twin", fold, string(except))
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if current, err := s.current(ctx, q, r); err != nil || current {
			return r.user, err
		}
	}
	return "", nil
}

// nameRow is a row of jotgate_name, without its fold.
type nameRow struct {
	twin string
	user record.UserID
	name string
}

func scanNameRow(rows rowScanner) (r nameRow, err error) {
	err = rows.Scan(&r.twin, &r.user, &r.name)
	return r, err
}

// current reports whether the user still has the name for which the row was made:
// Django does not change this table when it renames or deletes an account.
func (s *Store) current(ctx context.Context, q Queryer, r nameRow) (bool, error) {
	name, found, err := s.usernameOf(ctx, q, r.user)
	return found && nameDigest(name) == r.name, err
}

func (s *Store) usernameOf(ctx context.Context, q Queryer, id record.UserID) (name string, found bool, err error) {
	if key, ok := s.tables.key.encode(id); ok {
		found, err = one(ctx, q, []any{&name}, "SELECT "+s.tables.username(quote(s.tables.schema.Users))+" FROM "+quote(s.tables.schema.Users)+
			" WHERE "+quote(s.tables.schema.ID)+" = $1", key)
	}
	return name, found, err
}

// takeName replaces the user's rows with those of a name. Unless allow is set, the
// error is ErrTaken, with the cause ErrSimilarName, if another user has a similar
// name.
func (s *Store) takeName(ctx context.Context, q Queryer, id record.UserID, name string, allow bool) error {
	if !allow {
		if err := s.compared(ctx, id, name); err != nil {
			return err
		}
	}
	n := nameDigest(name)
	if _, err := run(ctx, q, "DELETE FROM jotgate_name WHERE user_id = $1 AND name <> $2", string(id), n); err != nil {
		return err
	}
	for _, fold := range folds(name) {
		if err := s.takeFold(ctx, q, fold, nameRow{user: id, name: n}, allow); err != nil {
			return err
		}
	}
	return nil
}

// takeFoldText changes no row if the fold is another user's, but locks that row until
// the transaction ends, so that its user cannot give the name up concurrently.
const takeFoldText = `INSERT INTO jotgate_name (fold, twin, user_id, name) VALUES ($1, $2, $3, $4)
ON CONFLICT (fold, twin) DO UPDATE SET name = excluded.name WHERE jotgate_name.user_id = excluded.user_id`

func (s *Store) takeFold(ctx context.Context, q Queryer, fold string, r nameRow, allow bool) error {
	for {
		n, err := run(ctx, q, takeFoldText, fold, "", string(r.user), r.name)
		if err != nil {
			return err
		}
		if n == 0 {
			stale, err := s.dropStale(ctx, q, fold)
			if err != nil {
				return err
			}
			if stale {
				continue
			}
		}
		if n == 0 && allow {
			_, err = run(ctx, q, takeFoldText, fold, string(r.user), string(r.user), r.name)
		}
		if allow || err != nil {
			return err
		}
		if other, err := s.bearer(ctx, q, fold, r.user); err != nil || other != "" {
			return similarTo(other, err)
		}
		return nil
	}
}

// dropStale deletes the row of a fold if its user no longer has the name, and makes
// rows for the name that the user has now. It reports whether it did.
func (s *Store) dropStale(ctx context.Context, q Queryer, fold string) (bool, error) {
	var r nameRow
	found, err := one(ctx, q, []any{&r.twin, &r.user, &r.name}, "SELECT twin, user_id, name FROM jotgate_name WHERE fold = $1 AND twin = ''", fold)
	if err != nil || !found {
		return !found, err
	}
	name, found, err := s.usernameOf(ctx, q, r.user)
	if err != nil || found && nameDigest(name) == r.name {
		return false, err
	}
	if err := dropNames(ctx, q, r.user); err != nil || !found {
		return true, err
	}
	return true, s.takeName(ctx, q, r.user, name, true)
}

func dropNames(ctx context.Context, q Queryer, id record.UserID) error {
	_, err := run(ctx, q, "DELETE FROM jotgate_name WHERE user_id = $1", string(id))
	return err
}
