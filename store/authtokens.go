package store

import (
	"context"
	"errors"
	"slices"

	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/record"
)

// The tokens of Django REST framework: the table authtoken_token.

type authTokens struct{ db *Store }

// AuthTokens returns the tokens of Django REST framework, or an error if the database has
// no table of them.
func AuthTokens(ctx context.Context, s *Store) (authtoken.Store, error) {
	columns, err := s.driver.columns(ctx, "authtoken_token")
	if err != nil {
		return nil, s.driver.unavailable(err)
	}
	for _, name := range []string{"key", "user_id"} {
		if !slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			return nil, errors.New("the database has no table authtoken_token of Django REST framework with the columns key and user_id")
		}
	}
	return authTokens{s}, nil
}

func scanOwner(rows rowScanner) (id record.UserID, err error) {
	err = rows.Scan(keyScan{&id})
	return id, err
}

// Owner implements authtoken.Store.
func (ts authTokens) Owner(ctx context.Context, token string) (record.UserID, error) {
	id, err := ask(ctx, ts.db, func(ctx context.Context, q Queryer) (*record.UserID, error) {
		return single(ctx, q, scanOwner, "SELECT user_id FROM authtoken_token WHERE key = $1", token)
	})
	if err != nil {
		return "", err
	}
	return *id, nil
}
