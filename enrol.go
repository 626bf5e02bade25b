package jotgate

// Setting up the first second factor in a login that demands one.

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jotgate/jotgate/factor/passkey"
)

// BeginEnrolment returns a new secret for an authenticator app, in a login whose next
// step is StepEnrol. The pending token remains valid: pass it to Continue, with the
// proof EnrolTOTP. Errors: ErrLoginNotValid if the token is not valid or the account
// has a second factor; ErrUnavailable.
func (ls Logins) BeginEnrolment(ctx context.Context, pending string, client Client) (NewTOTP, error) {
	l, err := ls.gate.resumeEnrolment(ctx, pending, client)
	if err != nil {
		return NewTOTP{}, err
	}
	return ls.gate.Factors().BeginTOTP(ctx, l.account)
}

// BeginPasskeyEnrolment begins to register a passkey, in a login whose next step is
// StepEnrol. Pass the Pending of the result to Continue within five minutes, with the
// browser's credential in the proof EnrolPasskey. The pending token remains valid, too.
// Errors: ErrNotFound without Settings.RPID; ErrLoginNotValid if the token is not valid
// or the account has a second factor; ErrUnavailable.
func (ls Logins) BeginPasskeyEnrolment(ctx context.Context, pending string, client Client) (c PasskeyCeremony, err error) {
	g := ls.gate
	if g.rp == nil {
		return c, ErrNotFound
	}
	l, err := g.resumeEnrolment(ctx, pending, client)
	if err != nil {
		return c, err
	}
	if err := g.Factors().Passkeys().checkRPID(ctx, l.account); err != nil {
		return c, ErrUnavailable.Because(err)
	}
	user, _ := g.passkeyUser(ctx, l.account, l.factors)
	begun, err := g.rp.BeginRegistration(user, passkey.Second, g.now())
	if err != nil {
		return c, err
	}
	next := *l.pending // with its id, so that only one of its continuations can be used
	next.NewPasskey = json.RawMessage(begun.State)
	c.PublicKey = begun.Options
	c.Pending, err = g.sealPending(&next, &client)
	return c, err
}

// EnrolPasskey returns the proof that registers a passkey as the second factor, in a
// login whose next step is StepEnrol. Pass it to Continue with the Pending of
// Logins.BeginPasskeyEnrolment; in.Pending is not used. The passkey and new recovery
// codes are stored in the transaction that creates the session. Further errors of
// Continue: ErrPasskeyNotValid, and 400 if the name is not valid.
func EnrolPasskey(in NewPasskey) Proof { return enrolPasskeyProof{in} }

type enrolPasskeyProof struct{ in NewPasskey }

func (enrolPasskeyProof) subject() string { return "" }

func (p enrolPasskeyProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if err := g.canEnrol(l); err != nil {
		return proved{}, err
	}
	if g.rp == nil || len(l.pending.NewPasskey) == 0 {
		return proved{}, ErrLoginNotValid
	}
	begun := &pendingPasskey{Use: PasskeyUse{SecondFactor: true}, State: l.pending.NewPasskey}
	k, add, codes, err := g.Factors().Passkeys().finish(ctx, l.account, l.factors, begun, p.in)
	if err != nil {
		return proved{}, err
	}
	l.entry.Add, l.state.RecoveryCodes, l.added = add, codes, passkeyAdded(k)
	done := proved{Method: methodPasskey}
	if k.UserVerified {
		done.AMR = []string{methodPasskey, methodUser}
	}
	return done, nil
}

// EnrolTOTP returns the proof that sets up an authenticator app, in a login whose next
// step is StepEnrol. token is that of Logins.BeginEnrolment, and code is the one that
// the app shows. The factor is stored in the transaction that creates the session.
func EnrolTOTP(token, code string) Proof { return enrolProof{token, code} }

type enrolProof struct{ token, code string }

func (enrolProof) subject() string { return "" }

func (p enrolProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if err := g.canEnrol(l); err != nil {
		return proved{}, err
	}
	add, codes, err := g.enrolTOTP(ctx, l, p.token, p.code)
	if err != nil {
		return proved{}, err
	}
	l.entry.Add, l.state.RecoveryCodes, l.added = add, codes, "totp added"
	return proved{Method: methodTOTP}, nil
}

// resumeEnrolment is resume for a login that can set up the first second factor.
func (g *Gate) resumeEnrolment(ctx context.Context, pending string, client Client) (*login, error) {
	l, err := g.resume(ctx, pending, client)
	if err == nil {
		err = g.canEnrol(l)
	}
	return l, err
}

// canEnrol returns an error unless the login has begun and its account has no second
// factor.
func (g *Gate) canEnrol(l *login) error {
	if g.factors == nil || l.pending == nil || len(l.done) == 0 || l.entry.Factors != "" {
		return ErrLoginNotValid.Because(errors.New("the login cannot set up a second factor: it has not begun, or the account has one"))
	}
	return nil
}
