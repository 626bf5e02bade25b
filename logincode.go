package jotgate

// Logins with a code that is sent by e-mail.

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/jotgate/jotgate/factor/emailcode"
	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

const (
	// loginCodeTime is how long a code is valid.
	loginCodeTime = 10 * time.Minute
	// loginCodeTries is how many attempts a code allows, right or wrong.
	loginCodeTries = 3
	// loginCodeInterval is the shortest time between two codes for an address.
	loginCodeInterval = time.Minute
)

// EmailCodes lets users log in with a code that is sent to their e-mail address.
// Logins.EmailCodes returns it. Unless Settings.LoginCodes is set, Request returns
// ErrNotFound. It is safe for concurrent use.
type EmailCodes struct{ gate *Gate }

// EmailCodes returns the operations on codes by e-mail.
func (ls Logins) EmailCodes() EmailCodes { return EmailCodes(ls) }

// checkLoginCodes reports Settings.LoginCodes if users cannot log in with codes.
func (g *Gate) checkLoginCodes() error {
	if !g.settings.LoginCodes || g.db == nil {
		return nil
	}
	if _, ok := g.db.Addresses().(record.LoginCodes); !ok || g.ownUsers() || g.db.Outbox() == nil || g.factors == nil {
		return errors.New("jotgate: LoginCodes: Settings.Users keeps the accounts, or the Store keeps no codes or no e-mails")
	}
	return nil
}

// Request sends a code to an e-mail address, if an account can log in with it: an
// account that is active, has a usable password, and for which the address is verified
// (Accounts.EmailVerified). These are the users who could also reset their password.
// pending is the token to send together with the code, as the proof EmailCode of
// Logins.Continue or PageSessions.Continue, for the kind of client in client.Browser.
//
// A new code replaces the previous one of the address. Codes requested from networks
// where the user has logged in before, and codes requested from other networks, replace
// only codes of the same kind, so that a stranger cannot invalidate the user's code.
//
// Neither the result nor the time shows whether an account has the address, or whether
// Settings.EmailLimit allows the message. Errors: ErrNotFound; 429 if a code was
// requested for the address less than a minute ago, whether or not an account has it;
// ErrUnavailable.
func (ec EmailCodes) Request(ctx context.Context, email string, client Client) (pending string, err error) {
	g := ec.gate
	codes, ok := g.db.Addresses().(record.LoginCodes)
	if !ok || !g.settings.LoginCodes {
		return "", ErrNotFound
	}
	defer padTime(ctx)()
	account, err := g.codeAccount(ctx, email)
	if err != nil {
		return "", err
	}
	slot, address := codeAddress(email), email
	if account != nil {
		if slot, address, err = g.codeSlot(ctx, account, client); err != nil {
			return "", err
		}
	}
	if err := g.codeTooSoon(ctx, codes, slot); err != nil {
		return "", err
	}
	subject := g.Events().Subject(email)
	g.Events().Record(ctx, record.Event{Name: "link_requested", Subject: subject, Detail: string(record.MessageLoginCode)}, client)
	now := g.now()
	code := record.LoginCode{ID: randomHex(), Address: slot, Expires: now.Add(loginCodeTime), Interval: loginCodeInterval}
	message := record.Message{Kind: record.MessageDecoy, To: email, Language: languageOf(ctx), Created: now}
	if account != nil {
		code.User = account.ID
		message.Kind, message.User, message.To = record.MessageLoginCode, account.ID, account.Email
	}
	switch err := g.budget(ctx, record.MessageLoginCode, address, ""); {
	case errors.Is(err, errTooManyEmails):
		// Nothing is sent. The earlier code stays valid where it was requested; the
		// row is that of an address which cannot exist.
		code.Address, code.User = code.ID, ""
		message.Kind, message.User, message.To = record.MessageDecoy, "", email
	case err != nil:
		return "", err
	}
	if err := codes.AddLoginCode(ctx, code, message); errors.Is(err, ErrNotFound) {
		return "", throttled(loginCodeInterval)
	} else if err != nil {
		return "", err
	}
	return g.sealPending(&pendingLogin{ID: randomHex(), Start: now.Unix(), Code: &pendingCode{code.ID, code.Address, subject}}, &client)
}

// codeSlot returns the key of the codes that a client gets for the account, and the
// address to which EmailLimit counts their messages. Networks from which the user has
// logged in before have their own: otherwise a stranger's requests would use up the
// owner's codes, and replace them, while the owner can use none of the stranger's. Other
// networks do not learn whether there is an account.
func (g *Gate) codeSlot(ctx context.Context, a *record.Account, client Client) (slot, address string, err error) {
	known, failures := false, g.db.Failures()
	if failures != nil {
		addr, _ := netip.ParseAddr(client.Address)
		known, err = failures.KnownNetwork(ctx, a.ID, throttle.Network(addr))
	}
	if known {
		return knownCodeAddress(a.Email), "known network " + a.Email, err
	}
	return codeAddress(a.Email), a.Email, err
}

// codeTooSoon returns the refusal of a request if the last code of the slot is less
// than loginCodeInterval old. The code that was sent stays valid where it was requested.
func (g *Gate) codeTooSoon(ctx context.Context, codes record.LoginCodes, slot string) error {
	now := g.now()
	last, err := codes.FindLoginCode(ctx, slot, now)
	if errors.Is(err, ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	if wait := last.Expires.Add(loginCodeInterval - loginCodeTime).Sub(now); wait > 0 {
		return throttled(min(wait, loginCodeInterval))
	}
	return nil
}

// codeAccount returns the account that can log in with a code to the address, or nil.
// If several have it, it is the one that has verified it; if none has, there must be
// only one, or the code would let the owner of one into another.
func (g *Gate) codeAccount(ctx context.Context, email string) (*record.Account, error) {
	list, err := g.db.Accounts().ByEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	var unlisted []*record.Account
	for _, a := range list {
		if !a.IsActive || !passwd.IsUsable(a.Password) || !names.SameEmail(a.Email, email) {
			continue
		}
		verified, listed, err := g.db.Addresses().Verified(ctx, a.ID, a.Email)
		switch {
		case err != nil:
			return nil, err
		case verified:
			return a, nil
		case !listed && !g.settings.ListedEmailsOnly:
			unlisted = append(unlisted, a)
		}
	}
	if len(unlisted) != 1 {
		return nil, nil
	}
	return unlisted[0], nil
}

// EmailCode returns a proof with a code that was sent by e-mail, for a login that
// EmailCodes.Request has begun. It is the first factor, and never the second. A code
// works once, for ten minutes, and allows three attempts. Errors of the login:
// ErrCodeNotValid if the code is wrong; ErrLoginNotValid if it has expired or has no
// attempts left.
func EmailCode(code string) Proof { return emailCodeProof{code} }

type emailCodeProof struct{ code string }

func (emailCodeProof) subject() string { return "" }

// namesUser marks a proof that also says whose login it is.
func (emailCodeProof) namesUser() {}

func (p emailCodeProof) prove(ctx context.Context, g *Gate, l *login) (proved, error) {
	codes, ok := g.db.Addresses().(record.LoginCodes)
	again := l.stepUp || l.page != nil && l.page.Replaces != nil
	if !ok || !g.settings.LoginCodes || again || l.account != nil || l.pending == nil || l.pending.Code == nil {
		return proved{}, ErrLoginNotValid.Because(errors.New("no login with a code by e-mail has begun"))
	}
	l.read = g.now()
	sent := l.pending.Code
	user, err := codes.TryLoginCode(ctx, sent.Address, sent.ID, loginCodeTries, l.read)
	if errors.Is(err, ErrNotFound) {
		return proved{}, ErrLoginNotValid.Because(errors.New("the code has expired, was replaced, or had three attempts"))
	} else if err != nil {
		return proved{}, err
	}
	right := slices.ContainsFunc(g.keys.Secrets(), func(secret string) bool { return emailcode.Match(p.code, secret, sent.ID) })
	if !right || user == "" {
		return proved{}, ErrCodeNotValid
	}
	a, err := g.users.UserByID(ctx, user)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return proved{}, err
	}
	if err == nil && (codeAddress(a.Email) == sent.Address || knownCodeAddress(a.Email) == sent.Address) {
		current, err := g.codeAccount(ctx, a.Email)
		if err != nil {
			return proved{}, err
		}
		if current != nil && current.ID == user {
			l.account = current
			return proved{Method: methodEmail}, nil
		}
	}
	return proved{}, ErrLoginNotValid.Because(errors.New("the account cannot log in with a code to this address any more"))
}
