// One message: whether it still applies, its text, and its envelope.

package mail

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/passwd/names"
	"github.com/jotgate/jotgate/record"
)

// Limits of the parts of a message, in bytes.
const (
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the brackets
	maxName    = 254
	maxDetail  = 256
)

// Data holds the values that a template may show. Its strings have no line breaks
// or other control characters; HTML templates also escape them.
type Data struct {
	Site string // the site's name
	// Username is the account's current one. It is empty in a message to an
	// unverified address if it could be taken for an address or a URL: the
	// recipient may not be the person who chose it.
	Username string
	Link     template.URL // in activation, invitation, email_change, password_reset and username_reset; in email_changed and deletion it undoes the change, and is empty if that is not possible
	Others   []Other      // further accounts with the same address, in password_reset, username_reset and activation
	Hours    int          // for how many hours the link is valid
	Code     string       // in login_code
	Detail   string       // in new_sign_in: the address and the device; in invitation: until when the link works
	Time     time.Time    // when the message was put into the outbox, in UTC
}

// Other is one of several accounts with the address that a message goes to.
type Other struct {
	Username string // as in Data
	Link     template.URL
	code     string
}

// Message is what the recipient sees.
type Message struct {
	Subject string
	Text    string
	HTML    string // empty if there is no HTML template
}

// envelope is a message that is ready to be sent.
type envelope struct {
	from *mail.Address
	to   string // a checked address
	id   string // Message-ID, the same in every attempt
	date time.Time
	Message
}

// dropped is the reason why a message is never sent.
type dropped string

func (d dropped) Error() string { return string(d) }

// compose makes the envelope of a message. The error is a dropped if the message
// must not be sent; after any other error it may be tried again.
func (s *Sender) compose(ctx context.Context, message record.Message) (envelope, error) {
	if err := s.checkMessage(message); err != nil {
		return envelope{}, err
	}
	accounts, err := s.recipients(ctx, message)
	if err != nil {
		return envelope{}, err
	}
	data, err := s.data(ctx, message, accounts)
	if err != nil {
		return envelope{}, err
	}
	content, err := s.templates.render(message.Kind, message.Language, data)
	return envelope{s.from, names.ASCIIEmail(message.To), s.messageID(message), s.settings.Now(), content}, err
}

// recipients finds the account of a message, or those with its address.
func (s *Sender) recipients(ctx context.Context, message record.Message) ([]*record.Account, error) {
	if message.User == "" {
		list, err := s.links.Accounts(ctx, message.Kind, message.To)
		if err == nil && len(list) == 0 {
			err = dropped("no account has the address any more")
		}
		return list, err
	}
	account, err := s.accounts.ByID(ctx, message.User)
	if errors.Is(err, jotgate.ErrNotFound) {
		return nil, dropped("the account is gone")
	} else if err != nil {
		return nil, err
	}
	return []*record.Account{account}, checkAccount(message, account)
}

// toSeveral are the kinds that may be about every account with the address, or, for an
// invitation, about none.
var toSeveral = []record.MessageKind{record.MessageInvitation, record.MessageActivation, record.MessagePasswordReset, record.MessageUsernameReset}

// checkMessage checks the message itself, without the account.
func (s *Sender) checkMessage(message record.Message) error {
	switch {
	case message.Kind == record.MessageDecoy:
		return dropped("it is a decoy")
	case message.User == "" && !slices.Contains(toSeveral, message.Kind):
		return dropped("it names no account")
	case !isAddress(message.To):
		return dropped("it has no valid address")
	case message.Attempts >= maxAttempts || s.settings.Now().Sub(message.Created) >= s.settings.MaxAge:
		return dropped("it could not be sent in time")
	case !s.templates.know(message.Kind):
		return errors.New("there are no templates for it") // a newer node may know it
	}
	return nil
}

// checkAccount checks whether the message still applies to the account, which may
// have changed since. A link is sent only to the account's current address: the
// owner of a previous address must not reset the password. A notice is sent to the
// address that it was written for, so that the owner learns of a change.
func checkAccount(message record.Message, account *record.Account) error {
	links, active := false, true
	switch message.Kind {
	case record.MessageActivation:
		links, active = true, false
	case record.MessagePasswordReset, record.MessageUsernameReset, record.MessageLoginCode:
		links = true
	case record.MessageConfirmation, record.MessageNewSignIn, record.MessageEmailChange:
	default:
		return nil
	}
	switch {
	case account.IsActive && !active:
		return dropped("the account is active already")
	case !account.IsActive && active:
		return dropped("the account is not active")
	case links && account.Email != message.To:
		return dropped("the account has another address now")
	case links && active && strings.HasPrefix(account.Password, "!"): // as Django marks it
		return dropped("the account has no usable password any more")
	}
	return nil
}

// data returns the values for the templates.
func (s *Sender) data(ctx context.Context, message record.Message, accounts []*record.Account) (Data, error) {
	d := Data{Site: s.settings.Site, Hours: s.hours(), Detail: clean(message.Detail, maxDetail), Time: message.Created.UTC()}
	for i, account := range accounts {
		other, err := s.about(ctx, message, account)
		switch {
		case err != nil:
			return d, err
		case i == 0:
			d.Username, d.Link, d.Code = other.Username, other.Link, other.code
		default:
			d.Others = append(d.Others, other)
		}
	}
	return d, nil
}

// about returns the username and the link of one account for a message.
func (s *Sender) about(ctx context.Context, message record.Message, account *record.Account) (o Other, err error) {
	reader := *account
	if message.Kind == record.MessageEmailChange || message.Kind == record.MessageEmailChanged {
		reader.Email = message.To
	}
	if o.Username, err = s.username(ctx, message, &reader); err != nil {
		return o, err
	}
	link, ok := s.addresses[message.Kind]
	if !ok {
		return o, nil
	}
	uid, token := s.links.Parts(message.Kind, &reader)
	switch {
	case uid != "" && token != "":
		o.Link = fillLink(link, uid, token)
		if message.Kind == record.MessageLoginCode {
			o.code = token
		}
	case uid+token != "":
		err = errors.New("the gate made no link for it")
	case message.Kind != record.MessageEmailChanged:
		err = dropped("its link was used or replaced")
	}
	return o, err
}

// username returns the username, or "" if the recipient must not see it (see Data).
// The kinds without a link are sent to verified addresses only.
func (s *Sender) username(ctx context.Context, message record.Message, reader *record.Account) (string, error) {
	name := clean(reader.Username, maxName)
	if _, link := s.addresses[message.Kind]; !link || !strings.ContainsAny(name, ".@/:") || strings.EqualFold(name, message.To) {
		return name, nil
	}
	verified, err := s.accounts.EmailVerified(ctx, reader)
	if err != nil || !verified && message.Kind != record.MessageEmailChanged {
		return "", err
	}
	return name, nil
}

func (s *Sender) hours() int { return int(s.settings.LinkLifetime / time.Hour) }

// messageID returns the Message-ID (RFC 5322). It is the same in every attempt, so
// that mail programs can recognize a second copy.
func (s *Sender) messageID(message record.Message) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return fmt.Sprintf("jotgate.%d.%d@%s", message.ID, message.Created.UnixMicro(), domain)
}

// isAddress reports whether to is a single address without a name, a comment or
// control characters, which is safe in a header and in an SMTP command (RFC 5322
// section 3.4.1).
func isAddress(to string) bool {
	if clean(to, maxAddress) != to {
		return false
	}
	address, err := mail.ParseAddress(to)
	return err == nil && address.Address == to
}

// clean returns s as one printable line of at most limit bytes. It replaces other
// characters (line breaks, escape codes, marks that reverse the text) by spaces.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s[:min(len(s), limit)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// Previews lists the kinds that Preview renders, and the languages that have texts:
// first the one of messages without a language.
func (s *Sender) Previews() (kinds []record.MessageKind, languages []string) {
	return slices.Clone(allKinds), s.templates.languages()
}

// sampleCode is a code as EmailCodes.Request makes them.
const sampleCode = "QWXK-TRBN"

// Preview renders a message of this kind with sample data, with the Sender's
// settings and templates. Language may be empty. It returns an error if the kind
// has no templates.
func (s *Sender) Preview(kind record.MessageKind, language string) (Message, error) {
	if !s.templates.know(kind) {
		return Message{}, fmt.Errorf("mail: there is no message of the kind %q", clean(string(kind), maxName))
	}
	d := Data{
		Site: s.settings.Site, Username: "alice", Hours: s.hours(),
		Detail: "192.0.2.7, Firefox on Linux", Time: time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
	}
	token := "dihx4b-072dde9df0114cdac3b6bd14c7863ed1"
	if kind == record.MessageInvitation {
		d.Detail = "2026-02-07 12:30 UTC"
	}
	if kind == record.MessageLoginCode {
		token, d.Code = sampleCode, sampleCode
	}
	if link, ok := s.addresses[kind]; ok {
		d.Link = fillLink(link, "MQ", token)
	}
	return s.templates.render(kind, language, d)
}
