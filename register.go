package jotgate

// New accounts, and the changes that their owners make.

import (
	"context"
	"errors"
	"fmt"
	"maps"

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
	// Fields are values of further columns of the user table, by name; see
	// record.Kind.
	Fields   map[string]any
	Password string // checked by Settings.PasswordRules
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
// password, by field; ErrTaken if the username exists, or
// a similar one (see record.Names); a bare list, as in
// djoser, if only its normal form does; ErrSignupClosed if the user table has
// a column whose value only the application knows; ErrForbidden if Settings.Users keeps
// the accounts; ErrBusy, ErrUnavailable.
func (g *Gate) Register(ctx context.Context, r Registration, client Client) (*record.Account, error) {
	if g.ownUsers() {
		return nil, ErrForbidden.Because(errOwnUsers)
	}
	if err := g.mayRegister(); err != nil {
		return nil, ErrSignupClosed.Because(err)
	}
	a := &record.Account{
		Username: r.Username, Email: names.Email(r.Email), FirstName: r.FirstName, LastName: r.LastName, IsActive: !r.Activate,
		Fields: maps.Clone(r.Fields),
	}
	a.FirstName, a.LastName = or(a.FirstName, textField(a, "first_name")), or(a.LastName, textField(a, "last_name"))
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
	if err := g.newAccount(ctx, a); err != nil {
		return nil, err
	}
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
	if err := g.db.Addresses().SignUp(ctx, a, await); err != nil {
		return g.whyTaken(ctx, a, err)
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

// whyTaken returns djoser's error if the username, which was free in the form
// in which it was sent, exists in its normal form. It returns other errors as
// they are.
func (g *Gate) whyTaken(ctx context.Context, a *record.Account, err error) error {
	if !errors.Is(err, ErrTaken) {
		return err
	}
	if _, found := g.db.Accounts().ByLogin(ctx, a.Username); found == nil {
		return errNotCreated.Because(err)
	}
	return err // another rule of the site's, such as UNIQUE (LOWER(username))
}

// mayRegister returns the reason why no account can be created, or nil.
func (g *Gate) mayRegister() error {
	if g.settings.NewAccount != nil {
		return nil
	}
	return g.model().Unfilled
}

// model describes the store's user table.
func (g *Gate) model() record.Model {
	if s, ok := g.db.(interface{ Model() record.Model }); ok {
		return s.Model()
	}
	return record.Model{}
}

// MayRegister explains in one sentence, for the operator, why Register fails
// with ErrSignupClosed, or returns nil.
func (as Accounts) MayRegister() error {
	if as.gate.ownUsers() {
		return nil // then it fails with ErrForbidden
	}
	return as.gate.mayRegister()
}

// newAccount calls Settings.NewAccount.
func (g *Gate) newAccount(ctx context.Context, a *record.Account) error {
	if g.settings.NewAccount == nil {
		return nil
	}
	if a.Fields == nil {
		a.Fields = map[string]any{}
	}
	err := g.settings.NewAccount(ctx, a)
	var refusal *Error
	if err == nil || errors.As(err, &refusal) {
		return err
	}
	return ErrUnavailable.Because(fmt.Errorf("NewAccount: %w", err))
}

// textField returns a text of a.Fields, or "".
func textField(a *record.Account, name string) string {
	text, _ := a.Fields[name].(string)
	return text
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
	switch _, err = g.db.Accounts().ByLogin(ctx, typed); {
	case err == nil:
		return ErrTaken
	case !errors.Is(err, ErrNotFound):
		return err
	}
	return g.checkSimilar(ctx, a.Username, "")
}

// checkSimilar returns ErrTaken if another account has a similar username. The
// normal form of the name itself may be taken; SignUp reports that.
func (g *Gate) checkSimilar(ctx context.Context, name string, except record.UserID) error {
	checker := g.db.Names()
	if checker == nil {
		return nil
	}
	err := checker.Check(ctx, name, except)
	if errors.Is(err, ErrTaken) && !errors.Is(err, record.ErrSimilarName) {
		return nil
	}
	return err
}

// loginIsEmail reports whether users log in by e-mail and have no other name.
func (g *Gate) loginIsEmail() bool {
	if g.settings.LoginField == "email" {
		return true
	}
	return g.model().LoginIsEmail
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
