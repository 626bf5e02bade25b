package store

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Invitations by e-mail: the table jotgate_invitation.

var _ record.Invitations = addresses{}

const invitationColumns = "id, email, groups, made_by, nonce, created, expires"

func scanInvitation(rows rowScanner) (i record.Invitation, err error) {
	var groups string
	if err = rows.Scan(&i.ID, &i.Email, &groups, &i.By, &i.Nonce, instant{&i.Created}, instant{&i.Expires}); err == nil {
		err = json.Unmarshal([]byte(groups), &i.Groups)
	}
	return i, err
}

// FindInvitation implements record.Invitations.
func (ads addresses) FindInvitation(ctx context.Context, id int64, email string, now time.Time) (*record.Invitation, error) {
	if !storable(email) {
		return nil, jotgate.ErrNotFound
	}
	return ask(ctx, ads.db, func(ctx context.Context, q Queryer) (*record.Invitation, error) {
		return single(ctx, q, scanInvitation, "SELECT "+invitationColumns+" FROM jotgate_invitation WHERE (id = $1 OR $1 = 0 AND email = $2) AND expires > $3", id, email, now.UnixMicro())
	})
}

// AcceptInvitation implements record.Invitations.
func (ads addresses) AcceptInvitation(ctx context.Context, which *record.Invitation, a *record.Account, now time.Time) error {
	created := *a
	created.DateJoined = ads.db.joined(a)
	event := record.AttachedTo(ctx)
	ctx, err := ads.db.beforeName(ctx, a.Username, "")
	if err != nil {
		return err
	}
	err = ads.db.write(ctx, func(ctx context.Context, q Queryer) error {
		n, err := run(ctx, q, "DELETE FROM jotgate_invitation WHERE id = $1 AND nonce = $2 AND expires > $3", which.ID, which.Nonce, now.UnixMicro())
		if err != nil || n == 0 {
			return orNotFound(n > 0, err)
		}
		if err := ads.db.createInvited(ctx, q, which, &created); err != nil {
			return err
		}
		return addAttached(ctx, q, event, created.ID)
	})
	if err == nil {
		a.ID, a.DateJoined = created.ID, created.DateJoined
	}
	return ads.db.rejected(err)
}

// createInvited creates the account of an invitation.
func (s *Store) createInvited(ctx context.Context, q Queryer, which *record.Invitation, a *record.Account) (err error) {
	if a.ID, err = s.createAccount(ctx, q, a, a.DateJoined); err != nil {
		return err
	}
	key, _ := s.tables.key.encode(a.ID)
	if s.tables.hasEmail() {
		if err := s.setAddress(ctx, q, a.ID, key, a.Email, true); err != nil {
			return err
		}
	}
	if s.tables.groups.table == "" {
		return nil
	}
	for _, id := range which.Groups { // a group that was deleted in the meantime is left out
		if _, err := run(ctx, q, "INSERT INTO "+quote(s.tables.groups.table)+" ("+quote(s.tables.groups.user)+", group_id) SELECT $1, g.id FROM auth_group AS g WHERE g.id = $2", key, id); err != nil {
			return err
		}
	}
	return nil
}

// Invitations implements adminstore.Store.
func (ad admin) Invitations(ctx context.Context, before int64, limit int) ([]record.Invitation, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return ask(ctx, ad.db, func(ctx context.Context, q Queryer) ([]record.Invitation, error) {
		return all(ctx, q, scanInvitation, "SELECT "+invitationColumns+" FROM jotgate_invitation WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
	})
}

// Invitation implements adminstore.SystemTx.
func (t systemTx) Invitation(ctx context.Context, id int64) (*record.Invitation, error) {
	return single(ctx, t.q, scanInvitation, "SELECT "+invitationColumns+" FROM jotgate_invitation WHERE id = $1"+t.db.driver.lock("UPDATE"), id)
}

// AddInvitation implements adminstore.SystemTx.
func (t systemTx) AddInvitation(ctx context.Context, i *record.Invitation) error {
	if !storable(i.Email) {
		return refuse("email", "Enter a valid email address.")
	}
	groups, err := json.Marshal(i.Groups)
	if err != nil {
		return err
	}
	found, err := one(ctx, t.q, []any{&i.ID}, `INSERT INTO jotgate_invitation (email, groups, made_by, nonce, created, expires)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (email) DO NOTHING RETURNING id`,
		i.Email, string(groups), string(i.By), i.Nonce, i.Created.UnixMicro(), i.Expires.UnixMicro())
	if err == nil && !found {
		err = refuse("email", "This address has an invitation already.").Because(errors.New("jotgate_invitation.email"))
	}
	return err
}

// RenewInvitation implements adminstore.SystemTx.
func (t systemTx) RenewInvitation(ctx context.Context, i *record.Invitation) error {
	_, err := run(ctx, t.q, "UPDATE jotgate_invitation SET nonce = $1, expires = $2 WHERE id = $3", i.Nonce, i.Expires.UnixMicro(), i.ID)
	return err
}

// DropInvitation implements adminstore.SystemTx.
func (t systemTx) DropInvitation(ctx context.Context, id int64) error {
	_, err := run(ctx, t.q, "DELETE FROM jotgate_invitation WHERE id = $1", id)
	return err
}
