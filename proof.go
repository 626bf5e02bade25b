package jotgate

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Proof is what a user presents in one step of a login. Password, TOTP, RecoveryCode,
// Passkey, EmailCode, NewPassword, EnrolTOTP and EnrolPasskey make one, and
// ProvedElsewhere for an authentication that the program has made itself. Begin,
// Continue and Reauthenticate check it.
type Proof interface {
	// prove checks the proof in a login and returns what it proves. A proof that
	// can be the first of a login sets l.account. If the error is
	// ErrNoActiveAccount, l.account is the account that was tried, if any.
	prove(ctx context.Context, g *Gate, l *login) (proved, error)
	// subject is the login name that a client sent, for the audit trail.
	subject() string
}

// Password returns a proof with a login name and its password. It is the first step of
// a login, or the second after a passkey.
func Password(username, password string) Proof { return passwordProof{username, password} }

type passwordProof struct{ username, password string }

func (p passwordProof) subject() string { return p.username }

func (p passwordProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	if len(l.done) > 0 { // of the account that the first step has proved
		account, err := g.Logins().Check(ctx, l.account.Username, p.password)
		if err == nil && account.ID != l.account.ID {
			err = ErrNoActiveAccount
		}
		if err != nil {
			return proved{}, err
		}
		if account.Password != l.account.Password && g.hasher.Outdated(l.account.Password) {
			l.account = account // Check has replaced the hash
		}
		return proved{Method: methodPassword, Change: g.mustChange(ctx, account, p.password)}, nil
	}
	l.read = g.now()
	var err error
	if l.account, err = g.Logins().Check(ctx, p.username, p.password); err != nil {
		return proved{}, err
	}
	return proved{Method: methodPassword, Change: g.mustChange(ctx, l.account, p.password)}, nil
}

// ProvedElsewhere returns the proof of an authentication that the program has made
// itself, such as by SAML. It is only for Sessions.Start. name says how, for the claim
// amr; amr, if given, is that claim instead. If amr contains "mfa" (RFC 8176), the user
// has proved two factors. Otherwise a user who has a second factor is still asked for
// it.
func ProvedElsewhere(name string, amr ...string) Proof {
	return elsewhereProof{name, amr}
}

type elsewhereProof struct {
	name string
	amr  []string
}

func (elsewhereProof) subject() string { return "" }

func (p elsewhereProof) prove(_ context.Context, _ *Gate, l *login) (proved, error) {
	if l.account == nil || len(l.done) > 0 {
		return proved{}, ErrLoginNotValid.Because(errors.New("ProvedElsewhere is for Sessions.Start"))
	}
	for _, word := range append([]string{p.name}, p.amr...) {
		if word == "" || strings.ContainsAny(word, " \"\\") || len(word) > 32 {
			return proved{}, ErrLoginNotValid.Because(errors.New("ProvedElsewhere: a name is 1 to 32 bytes without spaces and quotes"))
		}
	}
	amr := p.amr
	if len(amr) == 0 {
		amr = []string{p.name}
	}
	return proved{Method: "elsewhere", AMR: amr, Both: slices.Contains(amr, methodMulti)}, nil
}
