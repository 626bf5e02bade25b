package record

import (
	"context"
	"time"
)

// Message is an e-mail waiting to be sent, a row of jotgate_outbox. It names
// the kind and the account; the link is made when it is sent, so the database
// never holds one.
type Message struct {
	ID       int64
	Kind     MessageKind
	User     UserID // empty in a decoy, and in a message about several accounts, those with the address To
	To       string // address
	Language string // of the templates, such as "en"
	Detail   string // what a template may show: the address of a new sign-in
	Created  time.Time
	Attempts int // how often sending has failed
}

// MessageKind names a kind of e-mail and its templates.
type MessageKind string

// The kinds of e-mail. A decoy is never sent: it is stored for an address
// that no account has, so that the response takes as long as for one that an
// account has.
const (
	MessageActivation      MessageKind = "activation"
	MessageConfirmation    MessageKind = "confirmation" // the account is active now
	MessagePasswordReset   MessageKind = "password_reset"
	MessagePasswordChanged MessageKind = "password_changed"
	MessageUsernameReset   MessageKind = "username_reset"
	MessageUsernameChanged MessageKind = "username_changed"
	MessageEmailChange     MessageKind = "email_change"  // to the new address, which becomes the account's when its link is followed
	MessageEmailChanged    MessageKind = "email_changed" // to the old address, with a link to undo the change
	MessageNewSignIn       MessageKind = "new_sign_in"
	MessageFactorAdded     MessageKind = "factor_added"
	MessageFactorRemoved   MessageKind = "factor_removed"
	MessageFactorsReset    MessageKind = "factors_reset" // by staff or by command
	MessageRecoveryUsed    MessageKind = "recovery_used"
	MessageWrongCodes      MessageKind = "wrong_codes"
	MessageImpersonated    MessageKind = "impersonated"   // a member of staff acts for the user; Detail is the reason
	MessagePasskeyCopied   MessageKind = "passkey_copied" // its counter shows that a copy is in use
	MessageDeletion        MessageKind = "deletion"       // the account will be deleted, with a link to restore it
	MessageAPIKeyExpiring  MessageKind = "api_key_expiring"
	MessageInvitation      MessageKind = "invitation" // to an address without an account; Detail is until when its link works
	MessageLoginCode       MessageKind = "login_code" // a code to log in with
	MessageDecoy           MessageKind = "decoy"

	MessageProviderConnected    MessageKind = "provider_connected" // an account at a provider can log in now
	MessageProviderDisconnected MessageKind = "provider_disconnected"
)

// Outbox keeps e-mails until they are sent. With a Store that has these
// methods, a Gate can send e-mails.
type Outbox interface {
	// Add stores an e-mail, durably, before it returns.
	Add(ctx context.Context, message Message) error
	// Due returns at most limit e-mails that are due, oldest first, and
	// hides them from other senders for the duration of the lease.
	Due(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]Message, error)
	// Sent removes an e-mail that was sent.
	Sent(ctx context.Context, id int64) error
	// Failed counts a failed attempt and sets when to try again.
	Failed(ctx context.Context, id int64, retry time.Time, reason string) error
}
