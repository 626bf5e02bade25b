package jotgate

// Registering, listing and renaming passkeys.

import (
	"context"
	"errors"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/record"
)

// NewPasskey is the result of a registration in a browser.
type NewPasskey struct {
	Pending    string // of PasskeyCeremony
	Credential []byte // the JSON of the credential (RegistrationResponseJSON)
	Name       string // empty: the name of the device's password manager, or Device
	Device     string // a name if that is not known
}

// Begin begins to register a passkey. Pass the result of the browser to Add. Errors:
// 400 if the account has 20 passkeys or use is the zero value; ErrNotFound without
// Settings.RPID; ErrUnavailable.
func (p Passkeys) Begin(ctx context.Context, a *record.Account, use PasskeyUse) (c PasskeyCeremony, err error) {
	g := p.gate
	if g.rp == nil {
		return c, ErrNotFound
	}
	if use == (PasskeyUse{}) {
		return c, errPasskeyUse
	}
	if err := p.checkRPID(ctx, a); err != nil {
		return c, ErrUnavailable.Because(err)
	}
	user, _, err := g.readPasskeys(ctx, a)
	if err != nil {
		return c, err
	}
	need := passkey.Second
	if use.Passwordless {
		need = passkey.Alone
	}
	begun, err := g.rp.BeginRegistration(user, need, g.now())
	if errors.Is(err, passkey.ErrTooMany) {
		return c, errPasskeyLimit
	} else if err != nil {
		return c, err
	}
	c.PublicKey = begun.Options
	c.Pending, err = g.sealPasskey(newPasskey, a.ID, pendingPasskey{ID: randomHex(), Use: use, State: begun.State})
	return c, err
}

// Add registers a passkey with the result of the browser. If it is the first second
// factor of the account, Add returns new recovery codes, to be shown once. Errors:
// ErrLoginNotValid if in.Pending is not valid, has expired or was used, or if the
// account has changed; ErrPasskeyNotValid; 400 if the name is not valid or the account
// has 20 passkeys; ErrNotFound, ErrUnavailable.
func (p Passkeys) Add(ctx context.Context, a *record.Account, in NewPasskey, client Client) (info PasskeyInfo, codes []string, err error) {
	g := p.gate
	if g.rp == nil {
		return info, nil, ErrNotFound
	}
	begun, err := g.openPasskey(newPasskey, a.ID, in.Pending)
	if err != nil {
		return info, nil, err
	}
	factors, err := g.factors.ListFactors(ctx, a.ID)
	if err != nil {
		return info, nil, err
	}
	k, add, codes, err := p.finish(ctx, a, factors, begun, in)
	if err != nil {
		return info, nil, err
	}
	set := record.FactorSet(factors)
	if err := g.changeFactors(ctx, record.FactorChange{
		User: a.ID, IfPassword: &a.Password, IfFactors: &set, Add: add, Spend: []record.Spent{g.spentPasskey(begun)},
	}, passkeyAdded(k), client); err != nil {
		return info, nil, overtaken(err)
	}
	g.factorChanged(ctx, a, passkeyAdded(k), record.MessageFactorAdded)
	return passkeyInfo(k, add[0]), codes, nil
}

// passkeyAdded is the detail of the event, and what the e-mail says.
func passkeyAdded(k *passkey.Passkey) string { return "passkey added: " + k.Name }

// finish verifies the browser's response to a registration and returns the rows to
// insert: the passkey and, if it is the first second factor, recovery codes, which
// are returned, too.
func (p Passkeys) finish(ctx context.Context, a *record.Account, factors []record.Factor, begun *pendingPasskey, in NewPasskey) (k *passkey.Passkey, add []*record.Factor, codes []string, err error) {
	g := p.gate
	user, _ := g.passkeyUser(ctx, a, factors)
	if k, err = g.rp.FinishRegistration(user, begun.State, in.Credential, in.Device, g.now()); err != nil {
		return nil, nil, nil, refuseRegistration(err)
	}
	if in.Name != "" && !k.Rename(in.Name) {
		return nil, nil, nil, errPasskeyName
	}
	k.LoginOnly = !begun.Use.SecondFactor
	if err := p.pinRPID(ctx); err != nil {
		return nil, nil, nil, err
	}
	row, err := passkeyRow(k, g.now())
	if err != nil {
		return nil, nil, nil, err
	}
	add = []*record.Factor{row}
	if begun.Use.SecondFactor && factorOf(factors, record.FactorRecovery) == nil {
		recovery, made, err := g.newRecoveryCodes(ctx, a.ID)
		if err != nil {
			return nil, nil, nil, err
		}
		add, codes = append(add, recovery), made
	}
	return k, add, codes, nil
}

// pinRPID stores the RP ID with the first passkey.
func (p Passkeys) pinRPID(ctx context.Context) error {
	pinned, err := p.gate.factors.PinSetting(ctx, record.PinnedRPID, p.gate.rp.ID())
	if err != nil {
		return err
	}
	if err := p.compareRPID(pinned); err != nil {
		return ErrUnavailable.Because(err)
	}
	return nil
}

// List returns the account's passkeys, in the order in which they were registered, and
// the arguments for the browser's Signal API, with which it forgets passkeys that were
// removed. The error is ErrUnavailable.
func (p Passkeys) List(ctx context.Context, a *record.Account) ([]PasskeyInfo, passkey.Signals, error) {
	g := p.gate
	if g.rp == nil {
		return nil, passkey.Signals{}, ErrNotFound
	}
	factors, err := g.listFactors(ctx, a)
	if err != nil {
		return nil, passkey.Signals{}, err
	}
	user, rows := g.passkeyUser(ctx, a, factors)
	list := make([]PasskeyInfo, len(rows))
	for i := range rows {
		list[i] = passkeyInfo(user.Passkeys[i], &rows[i])
	}
	return list, g.rp.Signals(user), nil
}

// Rename gives a passkey another name. Errors: ErrNotFound, 400 for a name that
// is not valid, ErrUnavailable.
func (p Passkeys) Rename(ctx context.Context, a *record.Account, id int64, name string, client Client) (info PasskeyInfo, err error) {
	for range 3 { // a login may change the row concurrently
		if info, err = p.rename(ctx, a, id, name, client); !errors.Is(err, ErrCodeNotValid) {
			return info, err
		}
	}
	return info, ErrUnavailable.Because(err)
}

func (p Passkeys) rename(ctx context.Context, a *record.Account, id int64, name string, client Client) (info PasskeyInfo, err error) {
	g := p.gate
	if g.rp == nil {
		return info, ErrNotFound
	}
	factors, err := g.factors.ListFactors(ctx, a.ID)
	if err != nil {
		return info, err
	}
	user, rows := g.passkeyUser(ctx, a, factors)
	for i := range rows {
		if rows[i].ID != id {
			continue
		}
		k, f := user.Passkeys[i], &rows[i]
		if !k.Rename(name) {
			return info, errPasskeyName
		}
		data, err := k.Data()
		if err != nil {
			return info, err
		}
		renamed := record.Event{Name: "factor", User: a.ID, Detail: "passkey renamed: " + k.Name}
		err = g.recorded(ctx, &renamed, client, func(ctx context.Context) error {
			return g.factors.ChangeFactors(ctx, record.FactorChange{User: a.ID, Uses: []record.FactorUse{{ID: id, Old: f.Data, New: string(data)}}})
		})
		return passkeyInfo(k, f), err
	}
	return info, ErrNotFound
}
