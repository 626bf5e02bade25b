package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/record"
)

// The tokens of Django REST framework: the table authtoken_token.

type authTokens struct{ db *Store }

// AuthTokens returns the storage of package authtoken: the tokens of Django REST
// framework. It returns an error if the database does not have their table.
func AuthTokens(ctx context.Context, s *Store) (authtoken.Store, error) {
	columns, err := s.driver.columns(ctx, "authtoken_token")
	if err != nil {
		return nil, s.driver.unavailable(err)
	}
	for _, name := range []string{"key", "user_id", "created"} {
		if !slices.ContainsFunc(columns["authtoken_token"], func(c column) bool { return c.name == name }) {
			return nil, errors.New("the database has no table authtoken_token of Django REST framework with the columns key, user_id and created")
		}
	}
	return authTokens{s}, nil
}

// tokenOwner is the owner of a token, and when Django made it.
type tokenOwner struct {
	user    record.UserID
	created time.Time
}

func scanOwner(rows rowScanner) (o tokenOwner, err error) {
	err = rows.Scan(keyScan{&o.user}, moment{&o.created})
	return o, err
}

// Owner implements authtoken.Store. A token from before all sessions of its owner ended
// is not valid, as every other token without a session; it is deleted, because Django
// would hand out the same one at the next login.
func (ts authTokens) Owner(ctx context.Context, token string) (record.UserID, error) {
	void := false
	found, err := ask(ctx, ts.db, func(ctx context.Context, q Queryer) (*tokenOwner, error) {
		o, err := single(ctx, q, scanOwner, "SELECT user_id, created FROM authtoken_token WHERE key = $1", token)
		if err != nil {
			return nil, err
		}
		at, err := notBefore(ctx, q, o.user, "")
		void = !at.IsZero() && o.created.Unix() <= at.Unix()
		return o, err
	})
	if err == nil && void {
		_ = ts.db.write(ctx, func(ctx context.Context, q Queryer) error { // refused in any case
			_, err := run(ctx, q, "DELETE FROM authtoken_token WHERE key = $1", token)
			return err
		})
		err = jotgate.ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return found.user, nil
}
