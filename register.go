package jotgate

// New accounts, and the changes that their owners make.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// Registration describes a new account for Gate.Register.
type Registration struct {
	Username  string // see passwd/names; stored in Unicode's form NFKC; if empty, Email is the username
	Email     string // may be empty; its domain is stored in lower case; if users log in by e-mail, it is the username
	FirstName string
	LastName  string
	// Fields are values of further columns of the user table, by name. Their types are
	// those of record.Kind.
	Fields   map[string]any
	Password string // checked by Settings.PasswordRules
	// Activate makes the account inactive until its owner follows the link in an
	// e-mail, which is queued for Email, and which must not be empty then.
	Activate bool
}

// errNotCreated is djoser's response if the name, in its normal form, exists.
var errNotCreated = &Error{Status: 400, List: []string{"Unable to create account."}}

// Register creates an account. Errors: 400 with the errors of username, email or
// password, by field; ErrTaken if the username exists, or a similar one (see
// record.Names); 400 with a list, as in djoser, if only the normalized username exists;
// ErrSignupClosed if the user table has a column whose value only the application
// knows; ErrForbidden if Settings.Users keeps the accounts; ErrBusy, ErrUnavailable.
func (g *Gate) Register(ctx context.Context, r Registration, client Client) (*record.Account, error) {
	if g.ownUsers() {
		return nil, ErrForbidden.Because(errOwnUsers)
	}
	if err := g.mayRegister(); err != nil {
		return nil, ErrSignupClosed.Because(err)
	}
	a, err := g.prepareAccount(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := g.signUp(ctx, a, client); err != nil {
		return nil, err
	}
	return a, nil
}

// prepareAccount returns the account to create, after all checks but those of the
// database.
func (g *Gate) prepareAccount(ctx context.Context, r Registration) (*record.Account, error) {
	a := &record.Account{
		Username: r.Username, Email: names.Email(r.Email), FirstName: r.FirstName, LastName: r.LastName, IsActive: !r.Activate,
		Fields: maps.Clone(r.Fields),
	}
	a.FirstName, a.LastName = cmp.Or(a.FirstName, textField(a, "first_name")), cmp.Or(a.LastName, textField(a, "last_name"))
	if err := g.acceptUsername(ctx, a); err != nil {
		return nil, err
	}
	if err := checkEmail(a.Email); err != nil {
		return nil, err
	}
	if r.Activate && a.Email == "" { // the account could never be activated
		return nil, fieldError("email", "This field is required.")
	}
	if err := g.acceptPassword(ctx, a, r.Password); err != nil {
		return nil, err
	}
	var err error
	if a.Password, err = g.makePassword(ctx, r.Password); err != nil {
		return nil, err
	}
	a.DateJoined = g.now()
	return a, g.newAccount(ctx, a)
}

// signUp stores the account, whose address is not verified yet, and queues an
// e-mail with an activation link if it is inactive.
func (g *Gate) signUp(ctx context.Context, a *record.Account, client Client) error {
	var await *record.Pending
	var spent error
	if !a.IsActive {
		p := g.newPending(record.PendingActivation, a.Email)
		await, spent = &p, g.budget(ctx, record.MessageActivation, a.Email, "")
	}
	e := record.Event{Name: "register"}
	if err := g.recorded(ctx, &e, client, func(ctx context.Context) error {
		err := g.db.Addresses().SignUp(ctx, a, await)
		e.User = a.ID
		return err
	}); err != nil {
		return g.whyTaken(ctx, a, err)
	}
	switch {
	case await == nil || a.Email == "":
	case spent != nil:
		g.log.WarnContext(ctx, "a message was not written", "kind", record.MessageActivation, "user_id", a.ID, "cause", spent)
	default:
		g.enqueue(ctx, g.message(record.MessageActivation, a))
	}
	return nil
}

// whyTaken returns djoser's error if a rule of the user table that only the
// database knows was violated, which the log explains, and if the username, which was free in the form
// in which it was sent, exists in its normal form. It returns other errors as
// they are.
func (g *Gate) whyTaken(ctx context.Context, a *record.Account, err error) error {
	if errors.Is(err, ErrRejected) {
		g.log.WarnContext(ctx, "an account could not be created: the database rejects a value", "cause", err)
		return errNotCreated.Because(err)
	}
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

// MayRegister returns nil if accounts can be created. Otherwise the error explains to
// the operator, in one sentence, why Register fails with ErrSignupClosed.
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
