// Package mail sends the e-mails of a gate: activation and reset links, codes, and
// notices of changes.
//
// A gate puts a message into the outbox, a table, and responds to its client
// immediately. A Sender sends the messages in the background. The two calls to make
// are [New] and Sender.Run:
//
//	sender, err := mail.New(mail.Settings{
//		Server:  "smtp://user:password@smtp.example.com:587",
//		From:    "Example <noreply@example.com>",
//		BaseURL: "https://app.example.com",
//	}, gate.Accounts(), gate.Links(), db.Outbox()) // db is the store that the gate was made with
//	go sender.Run(ctx)
//
// So neither the text nor the time of a response reveals what the mail server says, or
// whether an account has the address. Set From and BaseURL; the zero value of every
// other option is the safe choice. With Server, TLS is required unless the URL says
// otherwise.
//
// The outbox holds the kind of message and the account, never a link. The link is
// made when the message is sent, from Settings.BaseURL and never from a request's
// Host header. By then the account may have changed; a message that no longer
// applies (the account was deleted, or is already active, or has another address)
// is dropped.
//
// A message is sent at least once. It is sent twice only if the mail server
// accepted it, but this process ended or lost the connection before it could record
// that; both copies have the same Message-ID. A failed message is tried again after
// 30 seconds, 1 minute, 2 minutes and so on, later every 4 hours, until
// Settings.MaxAge, and at most 40 times. It is given up earlier if the server
// permanently refuses the recipient or the text (5xx).
//
// Without a Server, messages are written in readable form to Settings.Output, for
// development. Links and codes appear only there and in messages, never in the database or
// the log.
//
// docs/mail.md describes how to change and translate the messages.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/mail"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/metrics"
	"github.com/jotgate/jotgate/record"
)

// Settings holds the options of a Sender. BaseURL must be given, and one of Server,
// Output and Discard.
type Settings struct {
	// Server is the mail server, as smtp://user:password@host:587 (STARTTLS,
	// required) or smtps://user:password@host:465 (TLS from the start).
	// Escape special characters of user and password as in any URL. The port
	// may be left out. smtp://host:25?tls=insecure-off disables TLS, for a
	// server on the same machine, and cannot have a user and password.
	// Default: none, messages go to Output. Django: EMAIL_HOST, EMAIL_PORT,
	// EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL.
	Server jotgate.Secret
	// TLS is for a mail server whose certificate is from a private authority.
	// Default: the system's authorities, TLS 1.2 or newer. Django: none.
	TLS *tls.Config
	// Timeout limits the delivery of one message, from connecting to the
	// server's last response. Default: 30 seconds. Django: EMAIL_TIMEOUT.
	Timeout time.Duration
	// Output receives the messages, including links, if there is no Server.
	// Default: none. Django: EMAIL_BACKEND, its console backend.
	Output io.Writer
	// Discard removes messages from the outbox without making or sending them,
	// if there is no Server and no Output. Default: false, New requires one of
	// the three. Django: EMAIL_BACKEND, its dummy backend.
	Discard bool

	// From is the sender, as an address or Name <address>. Required with Server.
	// Default: webmaster@localhost, without Server. Django: DEFAULT_FROM_EMAIL.
	From string
	// Site is the name of the site in the messages. Default: the host in BaseURL.
	// Django: djoser EMAIL_FRONTEND_SITE_NAME.
	Site string
	// BaseURL is the beginning of links, such as https://app.example.com. Schemes
	// of mobile apps are accepted, but not those of scripts. Required.
	// Django: djoser EMAIL_FRONTEND_PROTOCOL and EMAIL_FRONTEND_DOMAIN.
	BaseURL string
	// ActivationPath follows BaseURL and a slash in activation links; {uid}
	// and {token} are filled in. Default: #/activate/{uid}/{token}.
	// Django: djoser ACTIVATION_URL.
	ActivationPath string
	// PasswordResetPath is the same for links with which users choose a new password.
	// Default: #/password/reset/confirm/{uid}/{token}.
	// Django: djoser PASSWORD_RESET_CONFIRM_URL.
	PasswordResetPath string
	// UsernameResetPath is the same for links with which users choose a new username.
	// Default: #/username/reset/confirm/{uid}/{token}.
	// Django: djoser USERNAME_RESET_CONFIRM_URL.
	UsernameResetPath string
	// EmailChangePath is the same for links that confirm a new address.
	// Default: #/email/change/confirm/{uid}/{token}. Django: none.
	EmailChangePath string
	// EmailUndoPath is the same for links that restore the previous address.
	// Default: #/email/change/undo/{uid}/{token}. Django: none.
	EmailUndoPath string
	// DeletionUndoPath is the same for links that restore an account that its owner
	// has deleted. Default: #/account/restore/{uid}/{token}. Django: none.
	DeletionUndoPath string
	// InvitationPath is the same for links to the page on which an invitation is
	// accepted, such as that of package pages. Default:
	// account/invitation?uid={uid}&token={token}. Django: none.
	InvitationPath string
	// LoginCodePath is the same for links to the page on which the user enters the code
	// of a login; {token} is the code, and there is no {uid}.
	// Default: #/login/code/{token}. Django: none.
	LoginCodePath string
	// LinkLifetime is how long a link is valid, as messages state it: it does not change
	// how long links work. Set it to the gate's PasswordResetTimeout. Whole hours.
	// Default: 72 hours.
	LinkLifetime time.Duration

	// Templates replace the built-in messages; see docs/mail.md for their form.
	// Messages without a template here stay as they are. Default: none.
	// Django: templates/email/*.html.
	Templates fs.FS
	// Locale holds catalogs such as de.txt, whose messages replace those of the
	// built-in messages or add a language. Default: none. Django: LOCALE_PATHS.
	Locale fs.FS
	// Language is for messages without a language, or with one that has no texts.
	// Default: en. Django: LANGUAGE_CODE.
	Language string

	// MaxAge is the age at which a message that could not be sent is given up. A message
	// is tried at most 40 times, which takes about five days. Default: 72 hours.
	// Django: none.
	MaxAge time.Duration
	// Logger receives messages for the operator. They contain no links, and no
	// addresses except in a mail server's response. Default: slog.Default().
	Logger *slog.Logger
	// Metrics counts the attempts to send an e-mail. Default: none.
	Metrics *metrics.Registry
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Accounts is what a Sender needs of jotgate.Accounts. Its methods are safe for
// concurrent use.
type Accounts interface {
	// ByID returns the account of a message, or jotgate.ErrNotFound.
	ByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// EmailVerified reports whether account.Email is verified for the account.
	EmailVerified(ctx context.Context, account *record.Account) (bool, error)
}

// Links is what a Sender needs of jotgate.Links. Its methods are safe for
// concurrent use.
type Links interface {
	// Parts makes the uid and the token of a link for a message of this
	// kind to account.Email. Both are empty if the account does not wait for
	// such a link.
	Parts(kind record.MessageKind, account *record.Account) (uid, token string)
	// Accounts lists the accounts with the address to which a message of
	// this kind applies, first those for which the address is verified.
	Accounts(ctx context.Context, kind record.MessageKind, email string) ([]*record.Account, error)
}

// Sender sends the messages in the outbox. Create it with New and call Run in a
// goroutine; any number of processes may do so on one database. It is safe for
// concurrent use.
type Sender struct {
	settings  Settings
	accounts  Accounts
	links     Links
	outbox    record.Outbox
	from      *mail.Address
	addresses map[record.MessageKind]string // of links, with {uid} and {token}
	templates *templates
	transport transport

	mu       sync.Mutex
	unmarked map[int64]bool // sent, but still in the outbox
}

// transport delivers one message. After a refusedError it is useless to try again.
type transport interface {
	deliver(ctx context.Context, e envelope) error
	// check connects and logs in, and sends nothing.
	check(ctx context.Context) error
}

// New returns a Sender, or an error that names the invalid setting. The outbox is
// the store that the gate was made with. New reads the operator's templates and tries each,
// but does not connect to the server.
func New(s Settings, accounts Accounts, links Links, outbox record.Outbox) (*Sender, error) {
	sender, err := newSender(s, accounts, links, outbox)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return sender, nil
}

func newSender(s Settings, accounts Accounts, links Links, outbox record.Outbox) (*Sender, error) {
	transport, err := s.newTransport()
	if err != nil {
		return nil, err
	}
	from, err := s.fill()
	if err != nil {
		return nil, err
	}
	addresses, err := s.readLinks()
	if err != nil {
		return nil, err
	}
	sender := &Sender{
		settings: s, accounts: accounts, links: links, outbox: outbox, from: from, addresses: addresses,
		transport: transport, unmarked: make(map[int64]bool),
	}
	if sender.templates, err = loadTemplates(s.Templates, s.Locale, s.Language); err != nil {
		return nil, err
	}
	if err := sender.tryTemplates(); err != nil {
		return nil, err
	}
	return sender, nil
}

// fill sets the defaults and parses the sender's address.
func (s *Settings) fill() (from *mail.Address, err error) {
	if s.From == "" && s.Server == "" {
		s.From = "webmaster@localhost"
	}
	if s.From == "" {
		return nil, errors.New("Settings.From is needed with Settings.Server: the sender, such as Example <noreply@example.com>")
	}
	if from, err = mail.ParseAddress(s.From); err != nil {
		return nil, fmt.Errorf("Settings.From: %q is not an address such as Example <noreply@example.com>: %w", s.From, err)
	}
	if s.Timeout < 0 || s.MaxAge < 0 || s.LinkLifetime < 0 {
		return nil, errors.New("Settings.Timeout, MaxAge and LinkLifetime cannot be negative")
	}
	s.Timeout = or(s.Timeout, 30*time.Second)
	s.MaxAge = or(s.MaxAge, 72*time.Hour)
	s.LinkLifetime = or(s.LinkLifetime, 72*time.Hour)
	s.Language = or(s.Language, fallbackLanguage)
	s.Logger = or(s.Logger, slog.Default())
	if s.Now == nil {
		s.Now = time.Now
	}
	return from, nil
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// newTransport chooses between Server, Output and Discard.
func (s *Settings) newTransport() (transport, error) {
	if s.Server != "" {
		return newSMTP(string(s.Server), s.TLS, or(s.Timeout, 30*time.Second))
	}
	if s.Output == nil && s.Discard {
		return discarder{}, nil
	}
	if s.Output == nil {
		return nil, errors.New("one of Settings.Server, Settings.Output and Settings.Discard must be given")
	}
	return &printer{w: s.Output}, nil
}
