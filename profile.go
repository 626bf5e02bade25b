package jotgate

import (
	"context"

	"github.com/jotgate/jotgate/record"
)

// Account returns the account for which a link was made, without following
// it: a page can show what the link is for before the user confirms. Errors:
// 400 if the link is not valid; ErrForbidden, ErrUnavailable.
func (ls Links) Account(ctx context.Context, kind record.LetterKind, uid, token string) (*record.Account, error) {
	a, _, err := ls.gate.follow(ctx, kind, uid, token)
	return a, err
}

// maxName is the size of Django's columns first_name and last_name, in
// characters.
const maxName = 150

// SetNames changes the first and the last name of an account. Errors: 400 if
// one has more than 150 characters (fields first_name, last_name);
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
