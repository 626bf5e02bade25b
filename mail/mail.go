// Package mail sends the letters that a gate writes: activation and reset
// links, and notices of what changed.
//
// A gate puts a letter into the outbox, a table, and answers its client at
// once. A Sender works beside it:
//
//	sender, err := mail.New(mail.Settings{
//		Server:  "smtp://user:password@smtp.example.com:587",
//		From:    "Example <noreply@example.com>",
//		BaseURL: "https://app.example.com",
//	}, gate, db) // db is what the gate was made with
//	go sender.Run(ctx)
//
// So the answer to a request tells nothing of whether there is a mail server,
// how fast it is, what it says, or whether anybody has that address.
//
// The outbox holds the kind of letter and the account, never a link. The link
// is made when the letter leaves, from Settings.BaseURL and never from a
// request's Host header. By then the account may have changed; a letter that
// has lost its sense (the account is gone, or active already, or has another
// address) is dropped.
//
// A letter is sent at least once. It is sent twice only when the mail server
// took it and this process died, or the server fell silent, before that was
// known or noted; both copies have the same Message-ID. A failed letter is
// tried again after 30 s, 1 min, 2 min, … 4 h, until Settings.MaxAge. Only a
// recipient or a text that the server refuses for good (5xx) ends it sooner.
//
// Without a Server, letters are written in readable form to Settings.Output,
// for development. Links appear there and in letters, nowhere else: not in the
// database, not in the log.
//
// docs/mail.md tells how to change and translate the letters.
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
	"github.com/jotgate/jotgate/record"
)

// Settings is every option of a Sender. BaseURL must be given, and one of
// Server and Output.
type Settings struct {
	// Server is the mail server, as smtp://user:password@host:587 (STARTTLS,
	// required) or smtps://user:password@host:465 (TLS from the start).
	// Escape special characters of user and password as in any URL. The port
	// may be left out. smtp://host:25?tls=insecure-off does without TLS, for
	// a server on the same machine; then there can be no user and password.
	// Default: none, letters go to Output. Django: EMAIL_HOST, EMAIL_PORT,
	// EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL.
	Server jotgate.Secret
	// TLS is for a mail server with a certificate of one's own authority.
	// Default: the system's authorities, TLS 1.2 or newer. Django: none.
	TLS *tls.Config
	// Timeout bounds the delivery of one letter, from the connection to the
	// server's last word. Default: 30 seconds. Django: EMAIL_TIMEOUT.
	Timeout time.Duration
	// Output takes the letters, links included, when there is no Server.
	// Default: none. Django: EMAIL_BACKEND, its console backend.
	Output io.Writer
	// Discard removes the letters from the outbox without making or sending
	// them, when there is no Server and no Output. Default: false, New asks for
	// one of the three. Django: EMAIL_BACKEND, its dummy backend.
	Discard bool

	// From is the sender, as an address or Name <address>. Default:
	// webmaster@localhost; with Server there is none.
	// Django: DEFAULT_FROM_EMAIL.
	From string
	// Site is the name of the site as the letters have it. Default: the host
	// in BaseURL. Django: djoser EMAIL_FRONTEND_SITE_NAME.
	Site string
	// BaseURL is what links begin with, such as https://app.example.com. Any
	// scheme that is no script will do, for mobile apps. Required.
	// Django: djoser EMAIL_FRONTEND_PROTOCOL and EMAIL_FRONTEND_DOMAIN.
	BaseURL string
	// ActivationPath follows BaseURL and a slash in activation links; {uid}
	// and {token} are filled in. Default: #/activate/{uid}/{token}.
	// Django: djoser ACTIVATION_URL.
	ActivationPath string
	// PasswordResetPath is the same for new passwords.
	// Default: #/password/reset/confirm/{uid}/{token}.
	// Django: djoser PASSWORD_RESET_CONFIRM_URL.
	PasswordResetPath string
	// UsernameResetPath is the same for new usernames.
	// Default: #/username/reset/confirm/{uid}/{token}.
	// Django: djoser USERNAME_RESET_CONFIRM_URL.
	UsernameResetPath string
	// EmailChangePath is the same for links that make an address the account's.
	// Default: #/email/change/confirm/{uid}/{token}. Django: none.
	EmailChangePath string
	// EmailUndoPath is the same for links that bring the address before back.
	// Default: #/email/change/undo/{uid}/{token}. Django: none.
	EmailUndoPath string
	// LinkLifetime is what the letters say of how long a link works; set it
	// to the gate's PasswordResetTimeout. Whole hours. Default: 72 hours.
	LinkLifetime time.Duration

	// Templates are letters of one's own; see docs/mail.md for their form. A
	// letter that is not there is taken from those built in. Default: none.
	// Django: templates/email/*.html.
	Templates fs.FS
	// Language is for letters that name none, or one without templates.
	// Default: en. Django: LANGUAGE_CODE.
	Language string

	// MaxAge is when a letter that could not be sent is given up.
	// Default: 72 hours. Django: none.
	MaxAge time.Duration
	// Logger takes what the operator should read; no links, no addresses but
	// those that a mail server's refusal repeats. Default: slog.Default().
	Logger *slog.Logger
	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Accounts is what a Sender asks of a *jotgate.Gate. Its methods may be called
// concurrently.
type Accounts interface {
	// AccountByID finds the account of a letter. jotgate.ErrNotFound without
	// one.
	AccountByID(ctx context.Context, id record.UserID) (*record.Account, error)
	// LinkParts makes the uid and the token of a link for a message of this
	// kind to account.Email. Both are empty if the account does not wait for
	// such a link.
	LinkParts(kind record.LetterKind, account *record.Account) (uid, token string)
	// LinkAccounts lists the accounts with the address that a message of this
	// kind is about, the first of them first.
	LinkAccounts(ctx context.Context, kind record.LetterKind, email string) ([]*record.Account, error)
	// EmailVerified reports whether account.Email is verified for the account.
	EmailVerified(ctx context.Context, account *record.Account) (bool, error)
}

// Sender sends what is in the outbox. Make one with New and let Run work
// beside the gate; any number of processes may do so on one database. Safe for
// concurrent use.
type Sender struct {
	settings  Settings
	gate      Accounts
	outbox    record.Outbox
	from      *mail.Address
	links     map[record.LetterKind]string // with {uid} and {token}
	templates *templates
	transport transport

	mu       sync.Mutex
	unmarked map[int64]bool // left, but the outbox could not be told
}

// transport takes one letter out of the house. refusedError says that trying
// again is useless.
type transport interface {
	deliver(ctx context.Context, e envelope) error
	// check connects and logs in, and sends nothing.
	check(ctx context.Context) error
}

// New returns a Sender, or an error that names the setting at fault. The
// outbox is the store that the gate was made with. New reads all templates and
// tries each, but does not connect to the server.
func New(s Settings, gate Accounts, outbox record.Outbox) (*Sender, error) {
	sender, err := newSender(s, gate, outbox)
	if err != nil {
		return nil, fmt.Errorf("mail: %w", err)
	}
	return sender, nil
}

func newSender(s Settings, gate Accounts, outbox record.Outbox) (*Sender, error) {
	transport, err := s.newTransport()
	if err != nil {
		return nil, err
	}
	from, err := s.fill()
	if err != nil {
		return nil, err
	}
	links, err := s.readLinks()
	if err != nil {
		return nil, err
	}
	sender := &Sender{settings: s, gate: gate, outbox: outbox, from: from, links: links, transport: transport, unmarked: make(map[int64]bool)}
	if sender.templates, err = loadTemplates(s.Templates, s.Language); err != nil {
		return nil, err
	}
	if err := sender.tryTemplates(); err != nil {
		return nil, err
	}
	return sender, nil
}

// fill puts the defaults in and reads the sender's address.
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

// newTransport chooses between SMTP and Output.
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
