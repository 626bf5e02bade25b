package jotgate

// Passkeys as the first step of a login, as its second factor, and to
// authenticate again.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/record"
)

// BeginLogin begins to log in with a passkey. If pending is empty, the passkey is the
// first proof of a login and also determines the user. Otherwise it is the next proof
// of that login. Pass the browser's credential to Logins.Continue, as the proof
// Passkey. Errors: ErrLoginNotValid, ErrUnavailable.
func (p Passkeys) BeginLogin(ctx context.Context, pending string, client Client) (c PasskeyCeremony, err error) {
	g := p.gate
	if g.rp == nil {
		return c, ErrNotFound
	}
	next := &pendingLogin{ID: randomHex(), Start: g.now().Unix()}
	var user passkey.User
	if pending != "" {
		l, err := g.resume(ctx, pending, client)
		if err != nil {
			return c, err
		}
		next = l.pending // with its id, so that only one of its continuations can be used
		user, _ = g.passkeyUser(ctx, l.account, l.factors)
	}
	begun, err := g.rp.BeginLogin(user, g.now())
	if errors.Is(err, passkey.ErrNoPasskey) {
		return c, ErrLoginNotValid.Because(err)
	} else if err != nil {
		return c, err
	}
	next.Passkey = begun.State
	c.PublicKey = begun.Options
	c.Pending, err = g.sealPending(next, &client)
	return c, err
}

// BeginAgain begins to authenticate the user of a session again, with a passkey. Pass
// the browser's credential to Logins.Reauthenticate, as the proof PasskeyAgain. Errors:
// ErrNotFound if the account has no passkey, ErrUnavailable.
func (p Passkeys) BeginAgain(ctx context.Context, a *record.Account) (c PasskeyCeremony, err error) {
	g := p.gate
	if g.rp == nil {
		return c, ErrNotFound
	}
	user, _, err := g.readPasskeys(ctx, a)
	if err != nil {
		return c, err
	}
	begun, err := g.rp.BeginLogin(user, g.now())
	if errors.Is(err, passkey.ErrNoPasskey) {
		return c, ErrNotFound
	} else if err != nil {
		return c, err
	}
	c.PublicKey = begun.Options
	c.Pending, err = g.sealPasskey(againPasskey, a.ID, pendingPasskey{ID: randomHex(), State: begun.State})
	return c, err
}

// Passkey returns a proof with the browser's credential, as JSON
// (AuthenticationResponseJSON). Pass it to Continue with the Pending of
// Passkeys.BeginLogin. If the device has verified the user, it is two factors.
func Passkey(credential []byte) Proof { return passkeyProof{credential: credential} }

// PasskeyAgain returns the same as Passkey, for Logins.Reauthenticate. pending is the
// Pending of Passkeys.BeginAgain.
func PasskeyAgain(pending string, credential []byte) Proof {
	return passkeyProof{credential: credential, again: pending}
}

type passkeyProof struct {
	credential []byte
	again      string
}

func (passkeyProof) subject() string { return "" }

// namesUser marks a proof that also says whose login it is.
func (passkeyProof) namesUser() {}

// retries marks a proof that another login can make stale while it is checked.
func (passkeyProof) retries() {}

func (p passkeyProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	state, err := p.state(g, l)
	if err != nil {
		return proved{}, err
	}
	if l.account == nil {
		if err := p.findOwner(ctx, g, l); err != nil {
			return proved{}, err
		}
	}
	user, rows := g.passkeyUser(ctx, l.account, l.factors)
	a, err := g.rp.FinishLogin(user, state, p.credential, len(l.done) > 0, g.now())
	if err != nil {
		if errors.Is(err, passkey.ErrCloned) {
			g.Accounts().Notify(ctx, record.MessagePasskeyCopied, l.account, a.Passkey.Name)
		}
		return proved{}, g.refusePasskey(ctx, l, err)
	}
	data, err := a.Passkey.Data()
	if err != nil {
		return proved{}, err
	}
	for i, known := range user.Passkeys {
		if string(known.ID) == string(a.Passkey.ID) {
			l.entry.Uses = append(l.entry.Uses, record.FactorUse{ID: rows[i].ID, Old: rows[i].Data, New: string(data), LastUsed: g.now()})
		}
	}
	if a.BecameSynced {
		l.record("factor", "passkey is synced now: "+a.Passkey.Name)
	}
	if a.UserVerified {
		return proved{Method: methodPasskey, Both: true, AMR: []string{methodPasskey, methodUser}}, nil
	}
	return proved{Method: methodPasskey}, nil
}

// state returns the state of the ceremony that has begun. A login spends the
// token of the whole login, authenticating again that of the ceremony.
func (p passkeyProof) state(g *Gate, l *login) ([]byte, error) {
	switch {
	case g.rp != nil && p.again == "" && l.pending != nil && len(l.pending.Passkey) > 0:
		return l.pending.Passkey, nil
	case g.rp == nil || p.again == "" || !l.stepUp:
		return nil, ErrLoginNotValid.Because(errors.New("no ceremony with a passkey has begun"))
	}
	begun, err := g.openPasskey(againPasskey, l.account.ID, p.again)
	if err != nil {
		return nil, err
	}
	l.entry.Spend = append(l.entry.Spend, g.spentPasskey(begun))
	return begun.State, nil
}

// findOwner sets the account and its factors from the user handle, which the
// signature does not cover: FinishLogin verifies with the account's passkeys.
func (p passkeyProof) findOwner(ctx context.Context, g *Gate, l *login) error {
	handle, err := passkey.Owner(p.credential)
	if err != nil {
		return g.refusePasskey(ctx, l, err)
	}
	l.read = g.now()
	account, err := g.accountByID(ctx, record.UserID(passkey.UserID(handle)))
	if errors.Is(err, ErrNotFound) {
		return g.refusePasskey(ctx, l, passkey.ErrUnknown)
	} else if err != nil {
		return err
	}
	l.account = account
	return g.readFactors(ctx, l)
}

// refusePasskey returns the error for a client. Only a passkey that is
// certainly not in the table is reported as unknown, because a browser deletes
// it then for good.
func (g *Gate) refusePasskey(ctx context.Context, l *login, err error) error {
	switch {
	case errors.Is(err, passkey.ErrUnknown):
		return ErrPasskeyUnknown.Because(err)
	case errors.Is(err, passkey.ErrExpired):
		return ErrLoginNotValid.Because(err)
	case errors.Is(err, passkey.ErrCloned):
		g.log.WarnContext(ctx, "a passkey may have been copied: its counter has not grown", "user_id", l.account.ID)
	}
	return ErrPasskeyNotValid.Because(err)
}
