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
	encoded, err := g.MakePassword(ctx, password)
	if errors.Is(err, passwd.ErrPassword) {
		return "", fieldError("password", "This password cannot be used.")
	}
	return encoded, err
}

// AccountByID finds an account by its key. The error is ErrNotFound if there
// is none.
func (g *Gate) AccountByID(ctx context.Context, id record.UserID) (*record.Account, error) {
	return g.users.UserByID(ctx, id)
}

// CheckPassword compares the password with the account's, as a login does: in
// the hash pool, upgrading an outdated hash. Errors: ErrWrongPassword,
// ErrBusy, ErrUnavailable.
func (g *Gate) CheckPassword(ctx context.Context, a *record.Account, password string) error {
	ok, err := g.users.CheckPassword(ctx, a, password)
	if err == nil && !ok {
		return ErrWrongPassword
	}
	return err
}

// SetPassword sets a new password and ends the account's sessions except keep
// (unless Settings.KeepSessionsOnPasswordChange). a must be the account as it
// was read. Check the current password first (CheckPassword). Errors: 400 if
// the rules reject the password (field password); ErrWrongPassword if the
// password was changed in the meantime; ErrBusy, ErrForbidden,
// ErrUnavailable.
func (g *Gate) SetPassword(ctx context.Context, a *record.Account, password, keep string, client Client) error {
	err := g.replacePassword(ctx, a, password, keep, record.Change{}, client)
	if errors.Is(err, ErrNotFound) {
		return ErrWrongPassword.Because(err)
	}
	return err
}

// replacePassword adds a new password to the change and applies it, if the
// stored password is still the one that was read. Otherwise the error is
// ErrNotFound.
func (g *Gate) replacePassword(ctx context.Context, a *record.Account, password, keep string, change record.Change, client Client) error {
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := g.acceptPassword(a, password); err != nil {
		return err
	}
	encoded, err := g.makePassword(ctx, password)
	if err != nil {
		return err
	}
	change.Password, change.IfPassword, change.At = &encoded, &a.Password, g.now()
	change.Forget = []record.Purpose{record.PendingEmailChange} // may be requested with the old password
	if !g.settings.KeepSessionsOnPasswordChange {
		change.EndSessions, change.KeepSession = record.EndedByPassword, keep
	}
	return g.change(ctx, a, change, record.Event{Name: "password", Session: keep}, client)
}

// SetUsername sets a new login name. If users log in by e-mail, it is an
// address, which takes effect as with SetEmail. Errors: 400 if the name is
// not valid (field username), 429 as with SetEmail, ErrTaken, ErrForbidden,
// ErrUnavailable.
func (g *Gate) SetUsername(ctx context.Context, a *record.Account, username string, client Client) error {
	return g.replaceUsername(ctx, a, username, record.Change{}, client)
}

func (g *Gate) replaceUsername(ctx context.Context, a *record.Account, username string, change record.Change, client Client) error {
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if g.loginIsEmail() {
		return g.replaceLogin(ctx, a, username, change, client)
	}
	name, err := names.Username(username)
	if err != nil {
		return fieldError("username", err.Error())
	}
	change.Username, change.IfPassword = &name, &a.Password
	return g.change(ctx, a, change, record.Event{Name: "username"}, client)
}

// replaceLogin is replaceUsername if users log in by e-mail.
func (g *Gate) replaceLogin(ctx context.Context, a *record.Account, email string, change record.Change, client Client) error {
	if err := names.CheckEmail(email); err != nil {
		return fieldError("username", err.Error())
	}
	other, err := g.db.AccountByLogin(ctx, email)
	switch {
	case err == nil && other.ID != a.ID:
		return ErrTaken
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err != nil && !g.settings.ImmediateEmailChange:
		return g.awaitEmail(ctx, a, email, change, client)
	}
	undo, err := g.undo(ctx, a)
	if err != nil {
		return err
	}
	change.Username, change.Email, change.IfPassword = &email, &email, &a.Password
	if email != a.Email {
		change.Await = undo
	} else {
		change.Email = nil
	}
	return g.change(ctx, a, change, record.Event{Name: "username"}, client)
}

// DeleteAccount deletes the account; its sessions end and its tokens stop
// working. Errors: ErrNotFound, ErrForbidden, ErrUnavailable.
func (g *Gate) DeleteAccount(ctx context.Context, a *record.Account, client Client) error {
	if g.ownUsers() {
		return ErrForbidden.Because(errOwnUsers)
	}
	if err := g.db.DeleteAccount(ctx, a.ID); err != nil {
		return err
	}
	g.pullRevocations(ctx)
	g.event(ctx, record.Event{Name: "delete", User: a.ID, Detail: a.Username}, client)
	return nil
}

// change changes the row, reads the revocations that this causes and records
// the event.
func (g *Gate) change(ctx context.Context, a *record.Account, change record.Change, e record.Event, client Client) error {
	change.At = or(change.At, g.now())
	if err := g.db.ChangeAccount(ctx, a.ID, change); err != nil {
		return err
	}
	// If tokens identify users by username, changing it also revokes them.
	if change.EndSessions != "" || change.IsActive != nil && !*change.IsActive || g.settings.UserIDField == "username" {
		g.pullRevocations(ctx)
	}
	e.User = a.ID
	g.event(ctx, e, client)
	return nil
}

var errOwnUsers = errors.New("the accounts are kept by Settings.Users, not by the store")

// fieldError returns the error with status 400 about one field.
func fieldError(field string, texts ...string) *Error {
	return &Error{Status: 400, Fields: []FieldError{{field, texts}}}
}
