package jotgate

// The tokens in links of e-mails: how they are made, and for which account one
// is valid.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/factor/emailcode"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

// errLink is the error for every link that is not valid, whatever the reason:
// malformed, for an unknown account, used, expired or superseded. It has
// djoser's text for a wrong token.
var errLink = fieldError("token", "Invalid token for given user.")

// undoTimeout is how long a change of e-mail address can be undone.
const undoTimeout = 7 * 24 * time.Hour

// purposes maps a kind of link to its pending rows. Links of other kinds
// depend only on the account.
var purposes = map[record.MessageKind]record.Purpose{
	record.MessageActivation:   record.PendingActivation,
	record.MessageEmailChange:  record.PendingEmailChange,
	record.MessageEmailChanged: record.PendingEmailUndo,
	record.MessageDeletion:     record.PendingDeletion,
}

// Parts returns the uid and the token of a link for a message of this kind to a.Email.
// Both are empty if the account does not await such a link; for example, an activation
// link is made only while the account awaits its activation.
//
// A link serves one purpose and works once. It expires after
// Settings.PasswordResetTimeout, and a link that undoes a change of address after seven
// days. Reset links are Django's: they stop working when the password, the last login
// or the address changes. With Settings.DjoserLinks, activation and username links have
// the same form. Reset and username links also stop working when all sessions of the
// user end, which Django does not know. For MessageLoginCode the token is the code of EmailCodes.Request.
func (ls Links) Parts(kind record.MessageKind, a *record.Account) (uid, token string) {
	if kind == record.MessageLoginCode {
		return ls.gate.loginCodeParts(context.Background(), a) // the store has its own timeout
	}
	if kind == record.MessageInvitation {
		return ls.gate.invitationParts(context.Background(), a.Email)
	}
	var p *record.Pending
	if _, ok := purposes[kind]; ok {
		list, err := ls.gate.pending(context.Background(), kind, a) // the store has its own timeout
		for i := range list {
			if list[i].Email == a.Email {
				p = &list[i]
			}
		}
		if p == nil || err != nil {
			return "", ""
		}
	}
	t := ls.gate.linkTokens(kind, p)
	if p == nil {
		t.NotBefore, _ = ls.gate.linksSince(context.Background(), a) // without it, the link may have to be requested again
	}
	return signing.EncodeUID(string(a.ID)), t.Make(linkAccount(kind, a), ls.gate.now())
}

// linksSince returns the time before which links that depend only on the account
// became void, when all sessions of its user ended, or the zero time.
func (g *Gate) linksSince(ctx context.Context, a *record.Account) (time.Time, error) {
	last, err := g.lastEnding(ctx, a)
	if err != nil || *last == 0 {
		return time.Time{}, err
	}
	return time.UnixMicro(*last), nil
}

// pending lists the account's pending rows for which a link of this kind is
// valid.
func (g *Gate) pending(ctx context.Context, kind record.MessageKind, a *record.Account) ([]record.Pending, error) {
	list, err := g.pendingRows(ctx, a, purposes[kind])
	valid := list[:0]
	for _, p := range list {
		switch {
		case !p.Expires.IsZero() && !g.now().Before(p.Expires):
		case kind == record.MessageActivation && (a.IsActive || p.Email != a.Email || a.LastLogin.After(p.Created)):
			// Activated by Django, whether or not it is still active.
		default:
			valid = append(valid, p)
		}
	}
	return valid, err
}

// linkTokens returns the signer and verifier of links of this kind; p is the
// pending row that the link settles, if any.
func (g *Gate) linkTokens(kind record.MessageKind, p *record.Pending) signing.ResetTokens {
	secrets := g.keys.Secrets()
	signers, err := signing.New(secrets[0], secrets[1:]...)
	if err != nil {
		panic("jotgate: " + err.Error()) // unreachable: New refuses an empty secret
	}
	t := signing.ResetTokens{Keys: signers, Timeout: g.settings.PasswordResetTimeout, Location: g.settings.TimeZone}
	shared := kind == record.MessageActivation || kind == record.MessageUsernameReset
	switch {
	case kind == record.MessagePasswordReset, shared && g.settings.DjoserLinks:
	case p != nil:
		t.Salt = "jotgate link: " + string(kind) + " " + p.Nonce
	default:
		t.Salt = "jotgate link: " + string(kind)
	}
	switch {
	case kind == record.MessageEmailChanged:
		t.Timeout = undoTimeout
	case (kind == record.MessageDeletion || kind == record.MessageInvitation) && p != nil: // its row says until when
		t.Timeout = p.Expires.Sub(p.Created) + 24*time.Hour
	}
	return t
}

// linkAccount returns the state of the account on which a link depends.
// Changes of address and their undoing, and deletions, must not depend on a password that
// another person may have changed; they depend on the nonce of their row.
func linkAccount(kind record.MessageKind, a *record.Account) signing.Account {
	if kind == record.MessageEmailChange || kind == record.MessageEmailChanged || kind == record.MessageDeletion {
		return signing.Account{ID: string(a.ID)}
	}
	return signing.Account{ID: string(a.ID), Password: a.Password, Email: a.Email, LastLogin: a.LastLogin}
}

// follow returns the account for which a link was made, and the pending row
// that following it settles (nil for a reset). Errors: errLink, in the same
// time for every reason; ErrForbidden, ErrUnavailable.
func (g *Gate) follow(ctx context.Context, kind record.MessageKind, uid, token string) (*record.Account, *record.Pending, error) {
	if g.ownUsers() {
		return nil, nil, ErrForbidden.Because(errOwnUsers)
	}
	defer padTime(ctx)()
	a, err := g.linked(ctx, uid)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := purposes[kind]; !ok {
		t := g.linkTokens(kind, nil)
		if t.NotBefore, err = g.linksSince(ctx, a); err != nil {
			return nil, nil, err
		}
		if !a.IsActive || !t.Check(linkAccount(kind, a), token, g.now()) {
			return nil, nil, errLink
		}
		return a, nil, nil
	}
	list, err := g.pending(ctx, kind, a)
	if err != nil {
		return nil, nil, err
	}
	for i := range list {
		if g.linkTokens(kind, &list[i]).Check(linkAccount(kind, a), token, g.now()) {
			return a, &list[i], nil
		}
	}
	return nil, nil, errLink
}

// linked returns the account that a link names.
func (g *Gate) linked(ctx context.Context, uid string) (*record.Account, error) {
	id, err := signing.DecodeUID(uid)
	if err != nil {
		return nil, errLink.Because(err)
	}
	a, err := g.accountByID(ctx, record.UserID(id))
	if errors.Is(err, ErrNotFound) {
		return nil, errLink.Because(err)
	}
	return a, err
}

// used converts ErrNotFound to errLink: another request followed the link
// first, or the account has changed since.
func used(err error) error {
	if errors.Is(err, ErrNotFound) {
		return errLink.Because(err)
	}
	return err
}

// linkTime is the minimum time of a response to a request for a message,
// and to a link. It is much longer than the database takes, so that the time
// does not reveal whether a row was read.
const linkTime = 25 * time.Millisecond

// padTime returns a function that waits until linkTime has passed since the
// call of padTime, or until the request is cancelled.
func padTime(ctx context.Context) (wait func()) {
	timer := time.NewTimer(linkTime)
	return func() {
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// loginCodeParts returns the uid and the code for a message to a.Email. Both are
// empty if the account's code has expired or was replaced by one of another account.
func (g *Gate) loginCodeParts(ctx context.Context, a *record.Account) (uid, code string) {
	codes, ok := g.db.Addresses().(record.LoginCodes)
	if !ok {
		return "", ""
	}
	// A message that another network requested shows the owner's code while there is one.
	c, err := codes.FindLoginCode(ctx, knownCodeAddress(a.Email), g.now())
	if errors.Is(err, ErrNotFound) {
		c, err = codes.FindLoginCode(ctx, codeAddress(a.Email), g.now())
	}
	if err != nil || c.User != a.ID {
		return "", ""
	}
	return signing.EncodeUID(string(a.ID)), emailcode.Make(g.keys.Secrets()[0], c.ID)
}

// codeAddress returns the key of an address: letters that differ in case only are the
// same.
func codeAddress(email string) string {
	digest := sha256.Sum256([]byte(strings.ToLower(email)))
	return hex.EncodeToString(digest[:16])
}

// knownCodeAddress is codeAddress for the codes of networks from which the user has logged
// in before.
func knownCodeAddress(email string) string { return codeAddress("known network " + email) }

// invited is the state on which the link of an invitation depends.
func invited(i *record.Invitation) signing.Account {
	return signing.Account{ID: "invitation " + strconv.FormatInt(i.ID, 10), Email: i.Email}
}

func (g *Gate) invitationTokens(i *record.Invitation) signing.ResetTokens {
	return g.linkTokens(record.MessageInvitation, &record.Pending{Nonce: i.Nonce, Created: i.Created, Expires: i.Expires})
}

// invitationOf returns the invitation of an address.
func (g *Gate) invitationOf(ctx context.Context, email string) (*record.Invitation, error) {
	invitations, ok := g.db.Addresses().(record.Invitations)
	if !ok {
		return nil, ErrNotFound
	}
	return invitations.FindInvitation(ctx, 0, email, g.now())
}

// invitationParts returns the uid and the token of the link of an invitation. Both are
// empty if the address has none.
func (g *Gate) invitationParts(ctx context.Context, email string) (uid, token string) {
	i, err := g.invitationOf(ctx, email)
	if err != nil {
		return "", ""
	}
	return signing.EncodeUID(strconv.FormatInt(i.ID, 10)), g.invitationTokens(i).Make(invited(i), g.now())
}
