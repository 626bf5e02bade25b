package jotgate

// Links in letters: asking for one, and what following it does.

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/signing"
)

// The refusals of a link, in djoser's words.
var (
	errLinkUser  = fieldError("uid", "Invalid user id or user doesn't exist.")
	errLinkToken = fieldError("token", "Invalid token for given user.")
	errLinkStale = &Error{Status: 403, Detail: "Stale token for given user."}
)

// LinkParts makes the uid and the token of a link for a letter of this kind
// (LetterActivation, LetterPasswordReset or LetterUsernameReset). The token
// stops working when the password, the last login or the e-mail changes, and
// after Settings.PasswordResetTimeout; it is good for this kind alone, unless
// Settings.DjoserLinks. Password links are Django's.
func (g *Gate) LinkParts(kind record.LetterKind, a *record.Account) (uid, token string) {
	return signing.EncodeUID(string(a.ID)), g.linkTokens(kind).Make(linkAccount(a), g.now())
}

func (g *Gate) linkTokens(kind record.LetterKind) signing.ResetTokens {
	keys := make([]string, len(g.keys.secrets))
	for i, secret := range g.keys.secrets {
		keys[i] = string(secret)
	}
	signers, err := signing.New(keys[0], keys[1:]...)
	if err != nil {
		panic("jotgate: " + err.Error()) // unreachable: New refuses an empty secret
	}
	t := signing.ResetTokens{Keys: signers, Timeout: g.settings.PasswordResetTimeout, Location: g.settings.TimeZone}
	if kind != record.LetterPasswordReset && !g.settings.DjoserLinks {
		t.Salt = "jotgate link: " + string(kind)
	}
	return t
}

func linkAccount(a *record.Account) signing.Account {
	return signing.Account{ID: string(a.ID), Password: a.Password, Email: a.Email, LastLogin: a.LastLogin}
}

// follow finds the account that a link was made for.
func (g *Gate) follow(ctx context.Context, kind record.LetterKind, uid, token string) (*record.Account, error) {
	if g.ownUsers() {
		return nil, ErrForbidden.Because(errOwnUsers)
	}
	id, err := signing.DecodeUID(uid)
	if err != nil {
		return nil, errLinkUser.Because(err)
	}
	a, err := g.db.AccountByID(ctx, record.UserID(id))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errLinkUser.Because(err)
	case err != nil:
		return nil, err
	case !g.linkTokens(kind).Check(linkAccount(a), token, g.now()):
		return nil, errLinkToken
	}
	return a, nil
}

// Activate makes the account active that an activation link was made for.
// Errors: 400 for a wrong uid or token, 403 when it is active already.
func (g *Gate) Activate(ctx context.Context, uid, token string, client Client) (*record.Account, error) {
	a, err := g.follow(ctx, record.LetterActivation, uid, token)
	if err != nil {
		return nil, err
	}
	if a.IsActive {
		return nil, errLinkStale
	}
	yes, no := true, false
	err = g.change(ctx, a, record.Change{IsActive: &yes, IfActive: &no, IfPassword: &a.Password}, record.Event{Name: "activate"}, client)
	if errors.Is(err, ErrNotFound) { // another follower of the link was first
		return nil, errLinkStale.Because(err)
	}
	a.IsActive = true
	return a, err
}

// ResetPassword gives the account that a reset link was made for a new
// password and ends its sessions. The link works once, whoever else follows it
// at the same moment. Errors: 400 for a wrong uid or token and for what the
// rules say (field password); ErrBusy, ErrUnavailable.
func (g *Gate) ResetPassword(ctx context.Context, uid, token, password string, client Client) (*record.Account, error) {
	a, err := g.follow(ctx, record.LetterPasswordReset, uid, token)
	if err != nil {
		return nil, err
	}
	now := g.now() // djoser notes a reset as a login; it makes the link stale
	err = g.replacePassword(ctx, a, password, "", record.Change{LastLogin: &now}, client)
	if errors.Is(err, ErrNotFound) {
		return nil, errLinkToken.Because(err)
	}
	return a, err
}

// ResetUsername gives the account that a username link was made for a new
// login name. Errors as those of SetUsername, and 400 for a wrong uid or token.
func (g *Gate) ResetUsername(ctx context.Context, uid, token, username string, client Client) (*record.Account, error) {
	a, err := g.follow(ctx, record.LetterUsernameReset, uid, token)
	if err != nil {
		return nil, err
	}
	now := g.now()
	err = g.replaceUsername(ctx, a, username, record.Change{LastLogin: &now}, client)
	if errors.Is(err, ErrNotFound) {
		return nil, errLinkToken.Because(err)
	}
	return a, err
}

// RequestLink writes a letter with a link of this kind for whoever has the
// address: inactive accounts for LetterActivation, active ones for the others,
// and only those with a usable password. Addresses are compared without regard
// to letter case; the letter goes to the address that is stored. It answers in
// the same time whether anybody has it (found) or nobody. ErrUnavailable.
func (g *Gate) RequestLink(ctx context.Context, kind record.LetterKind, email string) (found bool, err error) {
	defer pace(ctx)()
	outbox, ok := g.db.(record.Outbox)
	if !ok || g.ownUsers() {
		return false, ErrUnavailable.Because(errors.New("the store has no outbox"))
	}
	accounts, err := g.db.AccountsByEmail(ctx, email)
	if err != nil {
		return false, err
	}
	letters := []record.Letter{{Kind: record.LetterDecoy, To: email, Created: g.now()}}
	for _, a := range accounts {
		// The database folds more letters than it should: ı is no i.
		if strings.EqualFold(a.Email, email) && a.IsActive == (kind != record.LetterActivation) && passwd.IsUsable(a.Password) {
			letters = append(letters, g.letter(kind, a))
		}
	}
	if found = len(letters) > 1; found {
		letters = letters[1:]
	}
	// One letter is waited for, as for an unknown address; who shares an
	// address with others gets the rest a moment later.
	if rest := letters[1:min(len(letters), maxShared)]; len(rest) > 0 {
		go g.enqueue(context.WithoutCancel(ctx), outbox, rest)
	}
	return found, outbox.Enqueue(ctx, letters[0])
}

// letterTime is how long an answer to who asks for a letter takes at least: much
// longer than the database does, so that a row that was read does not show.
const letterTime = 25 * time.Millisecond

// pace returns what waits until letterTime is over, counted from now, or until
// the client has left.
func pace(ctx context.Context) (wait func()) {
	timer := time.NewTimer(letterTime)
	return func() {
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

// maxShared is how many accounts of one address get a letter at once.
const maxShared = 10

func (g *Gate) enqueue(ctx context.Context, outbox record.Outbox, letters []record.Letter) {
	for _, l := range letters {
		if err := outbox.Enqueue(ctx, l); err != nil {
			g.log.WarnContext(ctx, "a letter was not written", "kind", l.Kind, "user_id", l.User, "cause", err)
		}
	}
}

func (g *Gate) letter(kind record.LetterKind, a *record.Account) record.Letter {
	return record.Letter{Kind: kind, User: a.ID, To: a.Email, Created: g.now()}
}

// Notify writes a letter of this kind to the account, if it has an address and
// the store an outbox; detail is for the template. What was done before does
// not fail for it.
func (g *Gate) Notify(ctx context.Context, kind record.LetterKind, a *record.Account, detail string) {
	if outbox, ok := g.db.(record.Outbox); ok && a.Email != "" {
		l := g.letter(kind, a)
		l.Detail = detail
		g.enqueue(ctx, outbox, []record.Letter{l})
	}
}
