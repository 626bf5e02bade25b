package jotgate

// Passkeys: the relying party, the passkeys of an account, and sealed ceremonies.

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/record"
)

// CheckRPID returns an error for the operator if the database has passkeys for another
// RP ID than Settings.RPID, which do not work with this one. Call it before the first
// request. Registering a passkey makes the same check.
func (p Passkeys) CheckRPID(ctx context.Context) error {
	if p.gate.rp == nil {
		return nil
	}
	pinned, err := p.gate.factors.Setting(ctx, record.PinnedRPID)
	if err != nil || pinned == "" {
		return err
	}
	return p.compareRPID(pinned)
}

// checkRPID is CheckRPID, without a query if the setting was read with the account.
func (p Passkeys) checkRPID(ctx context.Context, a *record.Account) error {
	switch {
	case a.Related == nil:
		return p.CheckRPID(ctx)
	case a.Related.RPID == "":
		return nil
	}
	return p.compareRPID(a.Related.RPID)
}

func (p Passkeys) compareRPID(pinned string) error {
	if id := p.gate.rp.ID(); pinned != id {
		return fmt.Errorf("the RP ID is %s, but passkeys in this database were registered for %s, and browsers do not offer them for another: "+
			"set --rp-id=%s and list the addresses of the pages in --rp-origins", id, pinned, pinned)
	}
	return nil
}

// RelatedOrigins returns the document for /.well-known/webauthn, or nil if all origins
// in Settings.RPOrigins belong to the RP ID.
func (p Passkeys) RelatedOrigins() []byte {
	if p.gate.rp == nil {
		return nil
	}
	return p.gate.rp.RelatedOrigins()
}

// passkeyUser returns the account with its passkeys, and the row of each. A row
// that cannot be read is reported and left out.
func (g *Gate) passkeyUser(ctx context.Context, a *record.Account, factors []record.Factor) (passkey.User, []record.Factor) {
	user := passkey.User{Handle: passkey.Handle(string(a.ID)), Name: a.Username, DisplayName: strings.TrimSpace(a.FirstName + " " + a.LastName)}
	var rows []record.Factor
	for _, f := range factors {
		if f.Type != record.FactorPasskey {
			continue
		}
		p, err := passkey.Parse([]byte(f.Data))
		if err != nil {
			g.log.WarnContext(ctx, "a passkey cannot be read", "user_id", a.ID, "factor", f.ID, "cause", err)
			continue
		}
		user.Passkeys, rows = append(user.Passkeys, p), append(rows, f)
	}
	return user, rows
}

func (g *Gate) sealPasskey(kind string, user record.UserID, p pendingPasskey) (string, error) {
	plain, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	return g.keys.Seal(plain, kind+"|"+string(user), passkeyPurpose)
}

// spentPasskey is the row that makes such a token usable once.
func (g *Gate) spentPasskey(p *pendingPasskey) record.Spent {
	return record.Spent{ID: "passkey " + p.ID, Expires: g.now().Add(passkey.Lifetime)}
}

// readPasskeys returns the account with its passkeys, and its factors.
func (g *Gate) readPasskeys(ctx context.Context, a *record.Account) (passkey.User, []record.Factor, error) {
	factors, err := g.listFactors(ctx, a)
	if err != nil {
		return passkey.User{}, nil, err
	}
	user, _ := g.passkeyUser(ctx, a, factors)
	return user, factors, nil
}

// openPasskey returns the content of a token of sealPasskey.
func (g *Gate) openPasskey(kind string, user record.UserID, token string) (*pendingPasskey, error) {
	plain, ok := g.keys.Open(token, kind+"|"+string(user), passkeyPurpose)
	if !ok {
		return nil, ErrLoginNotValid
	}
	p := new(pendingPasskey)
	return p, json.Unmarshal(plain, p)
}
