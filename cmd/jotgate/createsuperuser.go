package main

// `createsuperuser`: the same command as in manage.py, with the same
// questions.

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/store"
)

type createsuperuserCommand struct {
	databaseFlags
	passwordRuleFlags
	Hasher   string `group:"passwords" default:"argon2" placeholder:"HASHER" help:"How the password is stored (see serve)."`
	Username string `placeholder:"NAME" also:"JOTGATE_SUPERUSER_USERNAME,DJANGO_SUPERUSER_USERNAME" help:"The username. Default: asked for."`
	Email    string `placeholder:"ADDRESS" also:"JOTGATE_SUPERUSER_EMAIL,DJANGO_SUPERUSER_EMAIL" help:"The e-mail address. Default: asked for."`
	Noinput  bool   `help:"Ask nothing: the password is $JOTGATE_SUPERUSER_PASSWORD or $DJANGO_SUPERUSER_PASSWORD."`
}

// Help is shown below the usage line.
func (createsuperuserCommand) Help() string {
	return `Asks for the password twice, without echo. A weak one can be used all the same,
after a question.

    jotgate createsuperuser
    JOTGATE_SUPERUSER_PASSWORD=… jotgate createsuperuser --username admin --email admin@example.com --noinput`
}

// Run creates the account.
func (c *createsuperuserCommand) Run(a *app) error {
	hasher, err := newHasher(c.Hasher)
	if err != nil {
		return err
	}
	if c.Noinput && c.Username == "" && !(c.loginIsEmail() && c.Email != "") {
		return usage("--noinput needs --username")
	}
	return c.withNew(a, func(db *store.Store) error {
		account := &record.Account{IsActive: true, IsStaff: true, IsSuperuser: true, DateJoined: time.Now()}
		if account.Username, err = c.username(a, db); err != nil {
			return err
		}
		if account.Email, err = c.email(a, account.Username); err != nil {
			return err
		}
		password, err := c.password(a, db, account)
		if err != nil {
			return err
		}
		if account.Password, err = hasher.Make(password); err != nil {
			return err
		}
		if err := db.Accounts().Create(a.recording(record.Event{Name: "role", Detail: "superuser created"}), account); err != nil {
			return err
		}
		a.print("Superuser created successfully.")
		return nil
	})
}

// username returns the flag's value, or asks until the answer can be used. If
// users log in by e-mail, the username is the e-mail address.
func (c *createsuperuserCommand) username(a *app, db *store.Store) (string, error) {
	given, question := c.Username, "Username: "
	if c.loginIsEmail() {
		given, question = cmp.Or(given, c.Email), "Email address: "
	}
	if given != "" {
		return c.freeName(a, db, given)
	}
	for {
		answer, err := a.ask(question)
		if err != nil {
			return "", err
		}
		name, err := c.freeName(a, db, answer)
		if err == nil || errors.Is(err, jotgate.ErrUnavailable) {
			return name, err
		}
		a.warn("Error: %v", err)
	}
}

// freeName converts a new username into the form in which it is stored. It is
// an error if Django would not accept the name or if it is taken.
func (f *databaseFlags) freeName(a *app, db *store.Store, text string) (string, error) {
	if text == "" {
		return "", djangoSays("This field cannot be blank.")
	}
	name, err := f.newName(text)
	if err != nil {
		return "", err
	}
	switch err := db.Names().Check(a.ctx, name, ""); {
	case errors.Is(err, record.ErrSimilarName):
		return "", fmt.Errorf("%w (--similar-names allows it)", errors.Unwrap(err))
	case errors.Is(err, jotgate.ErrTaken) && f.loginIsEmail():
		return "", djangoSays("That email address is already taken.")
	case errors.Is(err, jotgate.ErrTaken):
		return "", djangoSays("That username is already taken.")
	default:
		return name, err
	}
}

// newName checks a new login name: as an e-mail address if users log in by
// e-mail, otherwise as a username.
func (f *databaseFlags) newName(text string) (string, error) {
	if f.loginIsEmail() {
		address := names.Email(text)
		return address, names.CheckEmail(address)
	}
	return names.Username(text)
}

// djangoSays is a refusal with the text of Django's commands.
type djangoSays string

func (s djangoSays) Error() string { return string(s) }

func (c *createsuperuserCommand) email(a *app, login string) (string, error) {
	if c.loginIsEmail() {
		return login, nil
	}
	if c.Email != "" || c.Noinput {
		return newEmail(c.Email)
	}
	for {
		answer, err := a.ask("Email address: ")
		if err != nil {
			return "", err
		}
		address, err := newEmail(answer)
		if err == nil {
			return address, nil
		}
		a.warn("Error: %v", err)
	}
}

// newEmail returns an e-mail address as it is stored, or "" for none.
func newEmail(text string) (string, error) {
	address := names.Email(strings.TrimSpace(text))
	if address == "" {
		return "", nil
	}
	return address, names.CheckEmail(address)
}

// password asks for the password or reads it from the environment. Django
// does not check the latter; jotgate prints a warning if it is weak.
func (c *createsuperuserCommand) password(a *app, db *store.Store, account *record.Account) (string, error) {
	check, err := c.checker(a, db, c.UsernameColumn, account)
	if err != nil {
		return "", err
	}
	if !c.Noinput {
		return a.askPassword(check)
	}
	for _, name := range []string{"JOTGATE_SUPERUSER_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"} {
		if password := a.env[name]; password != "" {
			problems, err := check(password)
			for _, problem := range problems {
				a.warn("warning: %s: %s", name, problem.Message)
			}
			return password, err
		}
	}
	return "", usage("--noinput needs JOTGATE_SUPERUSER_PASSWORD or DJANGO_SUPERUSER_PASSWORD in the environment")
}
