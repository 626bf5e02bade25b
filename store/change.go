package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Changing and deleting accounts.

// Change implements record.Accounts. If the custom user model lacks a
// column, a change of it is rejected with status 400 if it would have an
// effect (is_active, is_staff, is_superuser), and ignored otherwise.
func (as accounts) Change(ctx context.Context, id record.UserID, change record.Change) error {
	key, ok := as.db.tables.key.encode(id)
	if !ok || change.IfPassword != nil && !storable(*change.IfPassword) {
		return jotgate.ErrNotFound
	}
	if ends(change) != "" && change.At.IsZero() {
		return fmt.Errorf("store: Change.At is not set")
	}
	set, err := as.db.changedRow(change)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(set, func(c cell) bool { return c.name == as.db.tables.schema.Username }); i >= 0 {
		name, _ := set[i].value.(string)
		if ctx, err = as.db.beforeName(ctx, name, id); err != nil {
			return err
		}
	}
	return as.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		return as.db.changeAccount(ctx, q, id, key, set, change)
	})
}

func (s *Store) changeAccount(ctx context.Context, q Queryer, id record.UserID, key any, set []cell, change record.Change) error {
	renamed, err := s.revokeName(ctx, q, id, key, set, change.At)
	if err != nil {
		return err
	}
	before, err := s.passwordBefore(ctx, q, key, change)
	if err != nil {
		return err
	}
	text, args := s.changeText(key, set, change)
	var name, email string
	found, err := one(ctx, q, []any{&name, &email}, text+" RETURNING "+s.tables.username(quote(s.tables.schema.Users))+", "+s.tables.emailColumn(), args...)
	if err != nil {
		return s.takenUser(err)
	}
	if !found {
		return jotgate.ErrNotFound
	}
	if renamed {
		if err := s.takeName(ctx, q, id, name, s.tables.schema.SimilarNames); err != nil {
			return err
		}
		if change.EndSessions == "" {
			change.EndSessions = record.EndedByUsername
		}
		if change.At.IsZero() {
			change.At = s.driver.Now().UTC().Truncate(time.Microsecond)
		}
	}
	if err := s.changePending(ctx, q, id, key, email, &change); err != nil {
		return err
	}
	reason := ends(change)
	if reason != "" {
		if _, err := s.endSessions(ctx, q, record.Ending{User: id, Except: change.KeepSession, Reason: reason, Now: change.At}, ""); err != nil {
			return err
		}
	}
	if change.Password != nil {
		if err := newPassword(ctx, q, id, before, *change.Password, reason != ""); err != nil {
			return err
		}
	}
	if change.IsStaff != nil && !*change.IsStaff || change.IsSuperuser != nil && !*change.IsSuperuser {
		return s.staleTokens(ctx, q, holder{id, name})
	}
	return nil
}

// passwordBefore returns the stored password that a change replaces, and
// locks the row.
func (s *Store) passwordBefore(ctx context.Context, q Queryer, key any, change record.Change) (before string, err error) {
	switch sch := s.tables.schema; {
	case change.Password == nil:
	case change.IfPassword != nil:
		before = *change.IfPassword
	default:
		_, err = one(ctx, q, []any{&before}, "SELECT "+s.tables.password(quote(sch.Users))+" FROM "+quote(sch.Users)+" WHERE "+quote(sch.ID)+" = $1"+s.driver.lock("UPDATE"), key)
	}
	return before, err
}

// revokeName revokes the tokens that identify an account by the name that it
// is about to give up: the next owner of the name may be another person. It
// ends the sessions with such tokens, because a revocation of the name counts
// in whole seconds, and reports whether the name changes.
func (s *Store) revokeName(ctx context.Context, q Queryer, id record.UserID, key any, set []cell, at time.Time) (renamed bool, err error) {
	sch := s.tables.schema
	i := slices.IndexFunc(set, func(c cell) bool { return c.name == sch.Username })
	if i < 0 {
		return false, nil
	}
	var name string // read by an UPDATE, which locks the row against concurrent changes
	found, err := one(ctx, q, []any{&name}, "UPDATE "+quote(sch.Users)+" SET password = password WHERE "+quote(sch.ID)+" = $1 RETURNING "+s.tables.username(quote(sch.Users)), key)
	if err != nil || !found || set[i].value == name {
		return false, err
	}
	if at.IsZero() {
		at = s.driver.Now().UTC().Truncate(time.Microsecond)
	}
	if at, err = s.shared(ctx, q, at); err != nil {
		return false, err
	}
	if err := void(ctx, q, byUsername, name, at); err != nil {
		return false, err
	}
	if err := s.endNamed(ctx, q, id, at); err != nil {
		return false, err
	}
	return true, s.revoke(ctx, q, record.Revocation{Username: name, NotBefore: at, Made: at})
}

// ends returns the reason with which a change ends sessions, or "".
func ends(change record.Change) record.EndReason {
	if change.IsActive != nil && !*change.IsActive {
		return record.EndedByAccount
	}
	return change.EndSessions
}

// changedRow returns the columns to change, after checking them against the
// table.
func (s *Store) changedRow(change record.Change) (row []cell, err error) {
	t, sch := s.tables, s.tables.schema
	texts := []struct {
		column, field string
		value         *string
	}{
		{sch.Username, "username", change.Username},
		{sch.Email, "email", change.Email},
		{"first_name", "first_name", change.FirstName},
		{"last_name", "last_name", change.LastName},
		{"password", "password", change.Password},
	}
	for _, c := range texts {
		if _, ok := t.user[c.column]; !ok || c.value == nil || c.field == "email" && sch.Email == sch.Username && change.Username != nil {
			continue
		}
		if err := t.user[c.column].fits(c.field, *c.value); err != nil {
			return nil, err
		}
		value, err := t.textOrNull(c.column, c.field, *c.value)
		if err != nil {
			return nil, err
		}
		row = append(row, cell{c.column, value})
	}
	fields, err := s.changedFields(change.Fields)
	if err != nil {
		return nil, err
	}
	row = append(row, fields...)
	flags := []struct {
		column string
		value  *bool
		absent bool // what a model without the column implies
	}{{"is_active", change.IsActive, true}, {"is_staff", change.IsStaff, false}, {"is_superuser", change.IsSuperuser, false}}
	for _, c := range flags {
		switch _, ok := t.user[c.column]; {
		case c.value == nil:
		case ok:
			row = append(row, cell{c.column, *c.value})
		case *c.value != c.absent:
			return nil, refuse(c.column, "The user model has no such field.")
		}
	}
	if _, ok := t.user["last_login"]; ok && change.LastLogin != nil {
		row = append(row, cell{"last_login", s.nullTime(change.LastLogin.Truncate(time.Microsecond))})
	}
	return row, nil
}

// textOrNull returns the value to write for a text. An empty one is NULL if the
// column allows that, and an error if the column has rules.
func (t *tables) textOrNull(column, field, value string) (any, error) {
	c := t.user[column]
	switch {
	case value != "" || column == t.schema.Username || column == "password":
		return value, nil
	case c.nullable:
		return nil, nil
	case !c.free():
		return nil, refuse(field, "This field may not be blank.")
	}
	return value, nil
}

// changeText returns the one UPDATE of a change. A change without columns
// still locks the row and checks the conditions.
func (s *Store) changeText(key any, set []cell, change record.Change) (text string, args []any) {
	arg := func(v any) string { args = append(args, v); return fmt.Sprintf("$%d", len(args)) }
	sch := s.tables.schema
	assign := []string{}
	for _, c := range set {
		assign = append(assign, quote(c.name)+" = "+arg(c.value))
	}
	if len(assign) == 0 {
		assign = append(assign, "password = password")
	}
	text = "UPDATE " + quote(sch.Users) + " SET " + strings.Join(assign, ", ") + " WHERE " + quote(sch.ID) + " = " + arg(key)
	if change.IfPassword != nil {
		text += " AND " + s.tables.password(quote(sch.Users)) + " = " + arg(*change.IfPassword)
	}
	if _, ok := s.tables.user["is_active"]; change.IfActive != nil && ok {
		text += " AND COALESCE(is_active, FALSE) = " + arg(*change.IfActive)
	} else if change.IfActive != nil && !*change.IfActive {
		text += " AND FALSE" // without the column every account is active
	}
	return text, args
}

// Delete implements record.Accounts. It also deletes the rows of
// Django, Django REST framework and SimpleJWT that refer to the account, as
// Django's cascade does. If a table that jotgate does not know refers to the
// account by a column that must not be NULL, the error is ErrReferred and
// nothing is deleted: only the application knows what should become of those
// rows.
func (as accounts) Delete(ctx context.Context, id record.UserID) error {
	key, ok := as.db.tables.key.encode(id)
	if !ok {
		return jotgate.ErrNotFound
	}
	now := as.db.driver.Now().UTC().Truncate(time.Microsecond)
	err := as.db.writeRecorded(ctx, func(ctx context.Context, q Queryer) error {
		return as.db.deleteAccount(ctx, q, id, key, now)
	})
	if err != nil && as.db.driver.Referred(err) { // a row inserted concurrently
		return ErrReferred.Because(err)
	}
	return err
}

// ErrReferred is the error of deleting an account or a group to which rows of a table
// refer that jotgate does not know.
var ErrReferred = &jotgate.Error{Status: 409, Detail: "This account cannot be deleted: other records refer to it."}

// cascades are the tables whose rows Django deletes with their user.
var cascades = map[string]bool{"authtoken_token": true, "django_admin_log": true, "account_emailaddress": true, "mfa_authenticator": true, "socialaccount_socialaccount": true}

func (s *Store) deleteAccount(ctx context.Context, q Queryer, id record.UserID, key any, now time.Time) error {
	sch := s.tables.schema
	// An UPDATE locks the row first, as in every change of an account.
	found, err := one(ctx, q, []any{new(int)}, "UPDATE "+quote(sch.Users)+" SET password = password WHERE "+quote(sch.ID)+" = $1 RETURNING 1", key)
	if err != nil {
		return err
	}
	if !found {
		return jotgate.ErrNotFound
	}
	if _, err := s.endSessions(ctx, q, record.Ending{User: id, Reason: record.EndedByAccount, Now: now}, ""); err != nil {
		return err
	}
	if err := s.release(ctx, q, key); err != nil {
		return err
	}
	var name string
	_, err = one(ctx, q, []any{&name}, "DELETE FROM "+quote(sch.Users)+" WHERE "+quote(sch.ID)+" = $1 RETURNING "+s.tables.username(quote(sch.Users)), key)
	if err != nil {
		return err
	}
	if now, err = s.shared(ctx, q, now); err != nil {
		return err
	}
	if err := void(ctx, q, byUsername, name, now); err != nil {
		return err
	}
	if _, err := run(ctx, q, "DELETE FROM jotgate_network WHERE user_id = $1", string(id)); err != nil {
		return err
	}
	if _, err := run(ctx, q, "DELETE FROM jotgate_failure WHERE key IN ($1, $2, $3)",
		failureKey("mfa|"+string(id)), failureKey("mfa|"+string(id)+"|totp"), failureKey("mfa|"+string(id)+"|recovery_codes")); err != nil {
		return err
	}
	for _, table := range []string{"jotgate_outbox", "jotgate_pending", "jotgate_deletion", "jotgate_grace", "jotgate_factor_reset", "jotgate_name", "jotgate_password", "jotgate_api_key", "jotgate_client"} {
		if _, err := run(ctx, q, "DELETE FROM "+table+" WHERE user_id = $1", string(id)); err != nil {
			return err
		}
	}
	return nil
}

// release deletes or detaches the rows that refer to the account with this
// key.
func (s *Store) release(ctx context.Context, q Queryer, key any) error {
	sch := s.tables.schema
	for _, r := range s.tables.referrers {
		where := " WHERE " + quote(r.column) + " = $1"
		text := "UPDATE " + quote(r.table) + " SET " + quote(r.column) + " = NULL" + where
		if r.table == "account_emailaddress" && s.tables.addresses {
			if err := dropConfirmations(ctx, q, "", key); err != nil {
				return err
			}
		}
		if r.table == "socialaccount_socialaccount" && s.tables.social {
			if err := s.dropTokens(ctx, q, "user_id = $1", key); err != nil {
				return err
			}
		}
		switch {
		case r.table == sch.UserGroups, r.table == sch.UserPermissions, cascades[r.table]:
			text = "DELETE FROM " + quote(r.table) + where
		case r.required:
			var n int
			found, err := one(ctx, q, []any{&n}, "SELECT 1 FROM "+quote(r.table)+where+" LIMIT 1", key)
			if err != nil {
				return err
			}
			if found {
				return ErrReferred.Because(fmt.Errorf("rows of the table %s refer to the account by %s", r.table, r.column))
			}
			continue
		}
		if _, err := run(ctx, q, text, key); err != nil {
			return err
		}
	}
	return nil
}
