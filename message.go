package jotgate

// E-mails: their recipients and limits, and requests for one with a link.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// emailWindow is the period for which Settings.EmailLimit counts.
const emailWindow = time.Hour

// budget counts one message of this kind to the address and about the user
// ("" for a request that names no account). Counters are kept in the store,
// so they apply on every node and survive restarts. Errors: 429, with nothing
// counted; ErrUnavailable.
func (g *Gate) budget(ctx context.Context, kind record.MessageKind, address string, user record.UserID) error {
	if g.settings.EmailLimit < 0 {
		return nil
	}
	digest := sha256.Sum256([]byte(names.Mailbox(address)))
	keys := []string{"email " + string(kind) + " to " + hex.EncodeToString(digest[:16])}
	if user != "" {
		keys = append(keys, "email "+string(kind)+" about "+string(user))
	}
	ok, err := g.db.Addresses().Spend(ctx, keys, g.settings.EmailLimit, g.now(), emailWindow)
	if err == nil && !ok {
		err = errTooManyEmails
	}
	return err
}

var errTooManyEmails = &Error{
	Status: 429, Detail: "Request was throttled. Expected available in 3600 seconds.", RetryAfter: emailWindow,
}

// Request queues a message with a link of this kind to an e-mail address, if an account
// has it: an active account with a usable password or, for MessageActivation, an
// account that awaits its activation. Addresses are compared without regard to case,
// and the message is sent to the stored one. If several accounts have the address, they
// get one message.
//
// found reports whether an account has the address; do not show it to the client. The
// call takes the same time whether or not an account has the address, and whether or
// not Settings.EmailLimit allows the message. The error is ErrUnavailable.
func (ls Links) Request(ctx context.Context, kind record.MessageKind, email string) (found bool, err error) {
	defer padTime(ctx)()
	outbox := ls.gate.db.Outbox()
	if outbox == nil || ls.gate.ownUsers() {
		return false, ErrUnavailable.Because(errNoOutbox)
	}
	accounts, err := ls.Accounts(ctx, kind, email)
	if err != nil {
		return false, err
	}
	spent := ls.gate.budget(ctx, kind, email, "")
	if spent != nil && !errors.Is(spent, errTooManyEmails) {
		return false, spent
	}
	message := record.Message{Kind: record.MessageDecoy, To: email, Language: languageOf(ctx), Created: ls.gate.now()}
	if len(accounts) > 0 && spent == nil {
		message.Kind, message.To = kind, accounts[0].Email
	}
	if len(accounts) == 1 && spent == nil {
		message.User = accounts[0].ID
	}
	return len(accounts) > 0, outbox.Add(ctx, message)
}

// Accounts lists the accounts that Request would select for a message of this kind to
// the address: first those for which it is verified. It lists at most 100, and at most
// 10 that await activation. The error is ErrUnavailable.
func (ls Links) Accounts(ctx context.Context, kind record.MessageKind, email string) ([]*record.Account, error) {
	if kind == record.MessageInvitation {
		i, err := ls.gate.invitationOf(ctx, email)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		return []*record.Account{{Email: i.Email}}, nil // the account that would be created
	}
	list, err := ls.gate.db.Accounts().ByEmail(ctx, email)
	if err != nil {
		return nil, err
	}
	chosen := list[:0]
	for _, a := range list {
		// The database folds more characters than it should: ı is not i.
		if !names.SameEmail(a.Email, email) || !passwd.IsUsable(a.Password) || a.Service || a.IsActive == (kind == record.MessageActivation) {
			continue
		}
		if kind == record.MessageActivation {
			if awaited, err := ls.gate.pending(ctx, kind, a); err != nil || len(awaited) == 0 {
				if err != nil {
					return nil, err
				}
				continue
			}
		}
		chosen = append(chosen, a)
		if kind == record.MessageActivation && len(chosen) == 10 {
			break
		}
	}
	return chosen, nil
}

func (g *Gate) message(kind record.MessageKind, a *record.Account) record.Message {
	return record.Message{Kind: kind, User: a.ID, To: a.Email, Created: g.now()}
}

// enqueue queues a message. If that fails, it logs a warning: the change that
// the message is about is already made.
func (g *Gate) enqueue(ctx context.Context, l record.Message) {
	outbox := g.db.Outbox()
	if outbox == nil {
		return
	}
	l.Language = languageOf(ctx)
	if err := outbox.Add(ctx, l); err != nil {
		g.log.WarnContext(ctx, "a message was not written", "kind", l.Kind, "user_id", l.User, "cause", err)
	}
}

// Notify queues a message of this kind to the account, if its address is verified, if
// Settings.EmailLimit allows it, and if the store has an outbox. detail is a value for
// the template; it must not be text that a client has chosen. If Notify fails, it logs
// a warning and returns no error, because the change that the message is about has been
// made.
func (as Accounts) Notify(ctx context.Context, kind record.MessageKind, a *record.Account, detail string) {
	ctx, cancel := detached(ctx, notifyTimeout)
	defer cancel()
	verified, err := as.EmailVerified(ctx, a)
	if kind == record.MessageEmailChanged && err == nil && !verified { // the address is no longer listed
		uid, _ := as.gate.Links().Parts(kind, a)
		verified = uid != ""
	}
	switch {
	case err != nil:
		as.gate.log.WarnContext(ctx, "a message was not written", "kind", kind, "user_id", a.ID, "cause", err)
	case verified:
		as.gate.notify(ctx, kind, a, detail)
	}
}

// notifyTimeout is how long a response waits for a message about a change to be queued.
const notifyTimeout = 10 * time.Second

// notify is Notify to an address that is or was verified.
func (g *Gate) notify(ctx context.Context, kind record.MessageKind, a *record.Account, detail string) {
	ctx, cancel := detached(ctx, notifyTimeout)
	defer cancel()
	if err := g.budget(ctx, kind, a.Email, a.ID); err != nil {
		g.log.WarnContext(ctx, "a message was not written", "kind", kind, "user_id", a.ID, "cause", err)
		return
	}
	l := g.message(kind, a)
	l.Detail = detail
	g.enqueue(ctx, l)
}
