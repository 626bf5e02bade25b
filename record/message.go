package record

import (
	"context"
	"time"
)

// Message is an e-mail that waits to be sent, a row of jotgate_outbox. It has the kind
// and the account. A link is made only when the e-mail is sent, so that the database
// never contains one.
type Message struct {
	ID       int64
	Kind     MessageKind
	User     UserID // empty in a decoy, and in a message about all accounts with the address To
	To       string // e-mail address
	Language string // of the templates, such as "en"
	Detail   string // a value for the template, such as the IP address of a new sign-in
	Created  time.Time
	Attempts int // number of failed attempts to send it
}

// MessageKind is a kind of e-mail, and the name of its templates.
type MessageKind string

// The kinds of e-mail. MessageDecoy is never sent: it is stored for an address that no
// account has, so that the request takes as long as for an address of an account.
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
	MessagePasskeyCopied   MessageKind = "passkey_copied" // the counter of a passkey shows that there is a copy
	MessageDeletion        MessageKind = "deletion"       // the account will be deleted, with a link to restore it
	MessageAPIKeyExpiring  MessageKind = "api_key_expiring"
	MessageInvitation      MessageKind = "invitation" // to an address without an account; Detail is when its link expires
	MessageLoginCode       MessageKind = "login_code" // a code to log in with
	MessageDecoy           MessageKind = "decoy"

	MessageProviderConnected    MessageKind = "provider_connected" // an account at a provider can log in now
	MessageProviderDisconnected MessageKind = "provider_disconnected"
)

// Outbox keeps e-mails until package mail has sent them. If Store.Outbox returns nil, a
// Gate sends no e-mails.
type Outbox interface {
	// Add stores an e-mail. When it returns, the e-mail is durable.
	Add(ctx context.Context, message Message) error
	// Due returns at most limit e-mails that are due, oldest first. For the duration
	// lease no other call returns them.
	Due(ctx context.Context, now time.Time, limit int, lease time.Duration) ([]Message, error)
	// Sent removes an e-mail that was sent.
	Sent(ctx context.Context, id int64) error
	// Failed counts a failed attempt, and makes the e-mail due again at the time
	// retry. reason is the error, for the operator.
	Failed(ctx context.Context, id int64, retry time.Time, reason string) error
}
