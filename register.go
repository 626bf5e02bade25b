package jotgate

// New accounts, and the changes that their owners make.

import (
	"context"
	"errors"
	"fmt"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/passwd/strength"
	"github.com/jotgate/jotgate/record"
)

// Registration describes a new account.
type Registration struct {
	Username  string // see passwd/names; stored in Unicode's form NFKC; if empty, Email is the username
	Email     string // may be empty; its domain is stored in lower case; if users log in by e-mail, it is the username
	FirstName string
	LastName  string
	Password  string // checked by Settings.PasswordRules
	// Activate makes the account inactive until its owner follows the link in an
	// e-mail, which is queued for Email.
	Activate bool
}

// ErrWrongPassword reports that the current password, requested before a
// change, is wrong.
var ErrWrongPassword = &Error{Status: 400, Fields: []FieldError{{"current_password", []string{"Invalid password."}}}}

// errNotCreated is djoser's response if the name, in its normal form, exists.
var errNotCreated = &Error{Status: 400, List: []string{"Unable to create account."}}

// Register creates an account. Errors: 400 with the errors of username or
// password, by field; ErrTaken if the username exists; a bare list, as in
// djoser, if only its normal form does; ErrForbidden if Settings.Users keeps
// the accounts; ErrBusy, ErrUnavailable.
func (g *Gate) Register(ctx context.Context, r Registration, client Client) (*record.Account, error) {
	if g.ownUsers() {
		return nil, ErrForbidden.Because(errOwnUsers)
	}
	a := &record.Account{Username: r.Username, Email: names.Email(r.Email), FirstName: r.FirstName, LastName: r.LastName, IsActive: !r.Activate}
	if err := g.acceptUsername(ctx, a); err != nil {
		return nil, err
	}
	if err := g.acceptPassword(a, r.Password); err != nil {
		return nil, err
	}
	var err error
	if a.Password, err = g.makePassword(ctx, r.Password); err != nil {
		return nil, err
	}
	a.DateJoined = g.now()
	if err := g.signUp(ctx, a); err != nil {
		return nil, err
	}
	g.event(ctx, record.Event{Name: "register", User: a.ID}, client)
	return a, nil
}

// signUp stores the account, whose address is not verified yet, and queues an
// e-mail with an activation link if it is inactive.
func (g *Gate) signUp(ctx context.Context, a *record.Account) error {
	var await *record.Pending
	var spent error
	if !a.IsActive {
		p := g.newPending(record.PendingActivation, a.Email)
		await, spent = &p, g.budget(ctx, record.LetterActivation, a.Email, "")
	}
	if err := g.db.SignUp(ctx, a, await); errors.Is(err, ErrTaken) {
		return errNotCreated.Because(err)
	} else if err != nil {
		return err
	}
	switch {
	case await == nil || a.Email == "":
	case spent != nil:
		g.log.WarnContext(ctx, "a message was not written", "kind", record.LetterActivation, "user_id", a.ID, "cause", spent)
	default:
		g.enqueue(ctx, g.letter(record.LetterActivation, a))
	}
	return nil
}

// acceptUsername checks the username and normalizes it. If it is empty, or if
// users log in by e-mail, the username is the address, which may contain
// characters that other usernames may not.
func (g *Gate) acceptUsername(ctx context.Context, a *record.Account) error {
	typed := a.Username
	var err error
	if g.loginIsEmail() || typed == "" && a.Email != "" {
		typed = or(a.Email, names.Email(typed))
		a.Username, a.Email, err = typed, typed, names.CheckEmail(typed)
	} else {
		a.Username, err = names.Username(typed)
	}
	if err != nil {
		return fieldError("username", err.Error())
	}
	switch _, err = g.db.AccountByLogin(ctx, typed); {
	case err == nil:
		return ErrTaken
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return nil
}

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (g *Gate) loginIsEmail() bool {
	if g.settings.LoginField == "email" {
		return true
	}
	s, ok := g.db.(interface{ LoginIsEmail() bool })
	return ok && s.LoginIsEmail()
}

// acceptPassword checks a new password by the rules and against the account's
// names and address.
func (g *Gate) acceptPassword(a *record.Account, password string) error {
	if len(password) > passwd.MaxPassword {
		return fieldError("password", fmt.Sprintf("Ensure this field has no more than %d characters.", passwd.MaxPassword))
	}
	problems := g.settings.PasswordRules.Check(password, strength.About(g.settings.LoginField, a.Username, a.FirstName, a.LastName, a.Email)...)
	if len(problems) == 0 {
		return nil
	}
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.Message
	}
	return fieldError("password", texts...)
}

// makePassword hashes a password. One that cannot be hashed is an error of
// the client.
func (g *Gate) makePassword(ctx context.Context, password string) (string, error) {
	encoded, err := g.Accounts().MakePassword(ctx, password)
	if errors.Is(err, passwd.ErrPassword) {
		return "", fieldError("password", "This password cannot be used.")
	}
	return encoded, err
}

// fieldError returns the error with status 400 about one field.
func fieldError(field string, texts ...string) *Error {
	return &Error{Status: 400, Fields: []FieldError{{field, texts}}}
}
