package jotgate

import (
	"context"
	"maps"

	"github.com/jotgate/jotgate/record"
)

// maxName is the size of Django's columns first_name and last_name, in
// characters.
const maxName = 150

// SetNames changes the first name and the last name of the account, in the row and in
// a. Errors: 400 (fields first_name, last_name) if one has more than 150 characters;
// ErrForbidden, ErrNotFound, ErrUnavailable.
func (as Accounts) SetNames(ctx context.Context, a *record.Account, first, last string, client Client) error {
	g := as.gate
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	for field, name := range map[string]string{"first_name": first, "last_name": last} {
		if len([]rune(name)) > maxName {
			return fieldError(field, "Ensure this field has no more than 150 characters.")
		}
	}
	err := g.change(ctx, a, record.Change{FirstName: &first, LastName: &last}, record.Event{Name: "account", Detail: "names"}, client)
	if err == nil {
		a.FirstName, a.LastName = first, last
	}
	return err
}

// UserFields lists the further columns of the user table that users set and see, as the
// store's schema names them.
func (as Accounts) UserFields() []record.UserField {
	if as.gate.ownUsers() {
		return nil
	}
	return as.gate.model().Fields
}

// SetFields changes further columns of the user table (see UserFields), in the row and
// in a. Errors: 400, by field, if the table cannot hold a value, or if a value must be
// unique and another account has it; ErrNotFound, ErrForbidden, ErrUnavailable.
func (as Accounts) SetFields(ctx context.Context, a *record.Account, fields map[string]any, client Client) error {
	if as.gate.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := as.gate.change(ctx, a, record.Change{Fields: fields}, record.Event{Name: "profile"}, client); err != nil {
		return err
	}
	maps.Copy(a.Fields, fields)
	return nil
}
