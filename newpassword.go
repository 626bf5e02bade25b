package jotgate

// The step of a login that replaces the password.

import (
	"context"
	"errors"
	"slices"

	"github.com/jotgate/jotgate/record"
)

// NewPassword returns the proof for a login whose next step is StepPassword: a new
// password that replaces the one of the first step. All other sessions of the user end,
// as with Accounts.SetPassword. If the rules reject it, the error has the status 400
// (field password), and the pending token remains valid.
func NewPassword(password string) Proof { return newPasswordProof{password} }

type newPasswordProof struct{ password string }

func (newPasswordProof) subject() string { return "" }

func (p newPasswordProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if l.pending == nil || l.stepUp {
		return proved{}, ErrLoginNotValid.Because(errors.New("NewPassword continues a login"))
	}
	input, err := g.stepInput(ctx, l)
	if err != nil {
		return proved{}, err
	}
	// A second factor that is still missing must not be passed by this step.
	if nextStep(input, l.done) != StepPassword {
		return proved{}, ErrLoginNotValid.Because(errors.New("another step is next"))
	}
	encoded, err := g.replacePassword(ctx, l.account, p.password, "", record.Change{}, l.client)
	if errors.Is(err, ErrNotFound) {
		return proved{}, ErrLoginNotValid.Because(errOvertaken) // another continuation of this login was faster
	} else if err != nil {
		return proved{}, err
	}
	l.account.Password = encoded
	l.done = slices.Clone(l.done)
	for i := range l.done {
		l.done[i].Change = false
	}
	return proved{Method: methodPassword}, nil
}
