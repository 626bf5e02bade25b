package main

// `user create`: creates a user without the rights that createsuperuser
// gives.

import (
	"fmt"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type userCreate struct {
	databaseFlags
	listFlags
	passwordRuleFlags
	Hasher     string `group:"passwords" default:"argon2" placeholder:"HASHER" help:"How the password is stored (see serve)."`
	Username   string `arg:"" help:"The username."`
	Email      string `placeholder:"ADDRESS" help:"The e-mail address."`
	FirstName  string `placeholder:"NAME" help:"The first name."`
	LastName   string `placeholder:"NAME" help:"The last name."`
	Staff      bool   `help:"Is staff: may log in to Django's admin."`
	Superuser  bool   `help:"Is a superuser: has all permissions."`
	Inactive   bool   `help:"Cannot log in until activated."`
	NoPassword bool   `help:"Do not set a password: the user cannot log in until one is set."`
}

// Help is shown below the usage line.
func (userCreate) Help() string {
	return `Asks for the password twice, without echo, or takes it from
$JOTGATE_USER_PASSWORD; there a weak one is refused.

    jotgate user create alice --email alice@example.com
    JOTGATE_USER_PASSWORD=… jotgate user create bob --staff`
}

// Run creates the account.
func (c *userCreate) Run(a *app) error {
	hasher, err := newHasher(c.Hasher)
	if err != nil {
		return err
	}
	return c.withNew(a, func(db *store.Store) error {
		name, err := c.freeName(a, db, c.Username)
		if err != nil {
			return err
		}
		email, err := newEmail(c.Email)
		if err != nil {
			return err
		}
		account := &record.Account{
			Username: name, Email: email, FirstName: c.FirstName, LastName: c.LastName,
			IsActive: !c.Inactive, IsStaff: c.Staff, IsSuperuser: c.Superuser, DateJoined: time.Now(),
		}
		if c.loginIsEmail() {
			account.Email = name
		}
		if account.Password, err = c.password(a, db, hasher, account); err != nil {
			return err
		}
		if err := db.Accounts().Create(a.recording(record.Event{Name: "account", Detail: "created"}), account); err != nil {
			return err
		}
		if c.JSON {
			return a.json(account)
		}
		a.printf("created user %s with the id %s\n", account.Username, account.ID)
		return nil
	})
}

// password returns the hash to store.
func (c *userCreate) password(a *app, db *store.Store, hasher *passwd.Hasher, account *record.Account) (string, error) {
	if c.NoPassword {
		return passwd.Unusable(), nil
	}
	check, err := c.checker(a, db, c.UsernameColumn, account)
	if err != nil {
		return "", err
	}
	password := a.env["JOTGATE_USER_PASSWORD"]
	if password == "" {
		if password, err = a.askPassword(check); err != nil {
			return "", err
		}
	} else if problems, err := check(password); err != nil {
		return "", err
	} else if len(problems) > 0 {
		return "", fmt.Errorf("JOTGATE_USER_PASSWORD: %s", problems[0].Message)
	}
	return hasher.Make(password)
}
