package store

import (
	"context"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/oauth"
	"github.com/jotgate/jotgate/record"
)

// OAuth clients and their service accounts: the table jotgate_client.

type clients struct{ db *Store }

var _ oauth.Store = clients{}

// Clients returns the storage of package oauth: the OAuth clients.
func (s *Store) Clients() oauth.Store { return clients{s} }

// clientText selects clients with the usernames of their service accounts.
func (s *Store) clientText() string {
	sch := s.tables.schema
	return "SELECT c.id, c.user_id, " + s.tables.username("u") + ", c.scopes, c.session, c.secret, c.former_secret, c.former_until, c.keys, c.created, c.disabled" +
		" FROM jotgate_client AS c JOIN " + quote(sch.Users) + " AS u ON c.user_id = " + s.tables.keyText("u")
}

func scanClient(rows rowScanner) (c oauth.Client, err error) {
	var scopes string
	err = rows.Scan(&c.ID, &c.User, &c.Name, &scopes, &c.Session, &c.Secret, &c.FormerSecret, instant{&c.FormerUntil}, &c.Keys,
		instant{&c.Created}, instant{&c.Disabled})
	c.Scopes = strings.Fields(scopes)
	return c, err
}

// Find implements oauth.Store.
func (cs clients) Find(ctx context.Context, id string) (*oauth.Client, error) {
	if !storable(id) {
		return nil, jotgate.ErrNotFound
	}
	return ask(ctx, cs.db, func(ctx context.Context, q Queryer) (*oauth.Client, error) {
		return single(ctx, q, scanClient, cs.db.clientText()+" WHERE c.id = $1", id)
	})
}

// List implements oauth.Store.
func (cs clients) List(ctx context.Context) ([]oauth.Client, error) {
	return ask(ctx, cs.db, func(ctx context.Context, q Queryer) ([]oauth.Client, error) {
		return all(ctx, q, scanClient, cs.db.clientText()+" ORDER BY 3, 1 LIMIT 1000")
	})
}

// Create implements oauth.Store.
func (cs clients) Create(ctx context.Context, c *oauth.Client, a *record.Account) error {
	db := cs.db
	event := record.AttachedTo(ctx)
	ctx, err := db.beforeName(ctx, a.Username, "")
	if err != nil {
		return err
	}
	err = db.write(ctx, func(ctx context.Context, q Queryer) (err error) {
		if c.User, err = db.createAccount(ctx, q, a, db.joined(a)); err != nil {
			return err
		}
		_, err = run(ctx, q, "INSERT INTO jotgate_client (id, user_id, scopes, session, secret, keys, created) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			c.ID, string(c.User), strings.Join(c.Scopes, " "), c.Session, c.Secret, c.Keys, c.Created.UnixMicro())
		if err != nil {
			return err
		}
		return addAttached(ctx, q, event, c.User)
	})
	return db.rejected(err)
}

// Change implements oauth.Store.
func (cs clients) Change(ctx context.Context, id string, change oauth.Change) error {
	if !storable(id) {
		return jotgate.ErrNotFound
	}
	return cs.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error { return cs.db.changeClient(ctx, q, id, &change) })
}

func (s *Store) changeClient(ctx context.Context, q Queryer, id string, change *oauth.Change) error {
	// The lock makes concurrent changes wait for each other.
	old, err := single(ctx, q, value[string], "SELECT session FROM jotgate_client WHERE id = $1"+s.driver.lock("UPDATE"), id)
	if err != nil {
		return err
	}
	if change.Secret != nil {
		// With an overlap, the former secret must not work any more.
		n, err := run(ctx, q, `UPDATE jotgate_client SET former_secret = CASE WHEN CAST($2 AS bigint) > $3 THEN secret ELSE '' END, former_until = $2, secret = $1, keys = ''
WHERE id = $4 AND (CAST($2 AS bigint) <= $3 OR former_until IS NULL OR former_until <= $3)`, *change.Secret, change.FormerUntil.UnixMicro(), change.Now.UnixMicro(), id)
		if err != nil {
			return err
		}
		if n == 0 {
			return oauth.ErrRotating
		}
	}
	if change.Keys != nil {
		if _, err := run(ctx, q, "UPDATE jotgate_client SET keys = $1, secret = '', former_secret = '', former_until = NULL WHERE id = $2", *change.Keys, id); err != nil {
			return err
		}
	}
	if change.Scopes != nil {
		if _, err := run(ctx, q, "UPDATE jotgate_client SET scopes = $1 WHERE id = $2", strings.Join(change.Scopes, " "), id); err != nil {
			return err
		}
	}
	if change.Disabled != nil {
		at := time.Time{}
		if *change.Disabled {
			at = change.Now
		}
		if _, err := run(ctx, q, "UPDATE jotgate_client SET disabled = $1 WHERE id = $2", micros(at), id); err != nil {
			return err
		}
	}
	if change.Session == "" {
		return nil
	}
	if _, err := run(ctx, q, "UPDATE jotgate_client SET session = $1 WHERE id = $2", change.Session, id); err != nil {
		return err
	}
	return s.revoke(ctx, q, record.Revocation{Session: *old, Made: change.Now})
}

// Spend implements oauth.Store.
func (cs clients) Spend(ctx context.Context, id string, expires time.Time) error {
	return cs.db.write(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, "INSERT INTO jotgate_spent (id, expires) VALUES ($1, $2) ON CONFLICT DO NOTHING", note(id, 128), expires.UnixMicro())
		if err == nil && n == 0 {
			err = jotgate.ErrTaken
		}
		return err
	})
}

// RevokeToken implements oauth.Store.
func (cs clients) RevokeToken(ctx context.Context, jti string, now time.Time) error {
	return cs.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		return cs.db.revoke(ctx, q, record.Revocation{Session: jti, Made: now})
	})
}
