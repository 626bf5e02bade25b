// One letter: whether it still has a sense, what it says, and its envelope.

package mail

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/record"
)

// Bounds, in bytes, on what a letter is made of.
const (
	maxAddress = 254 // RFC 5321 section 4.5.3.1.3, without the brackets
	maxName    = 254
	maxDetail  = 256
)

// Data is what a template may show. Its strings have no line breaks or other
// control characters; HTML templates escape them besides.
type Data struct {
	Site     string       // the site's name
	Username string       // of the account, as it is now
	Link     template.URL // in activation, password_reset and username_reset
	Hours    int          // how long the link works
	Detail   string       // in new_sign_in: where from
	Time     time.Time    // when the letter was written, in UTC
}

// Message is a letter as its reader sees it.
type Message struct {
	Subject string
	Text    string
	HTML    string // empty where there is no HTML template
}

// envelope is a message ready to leave.
type envelope struct {
	from *mail.Address
	to   string // a checked address
	id   string // of the message, the same at every try
	date time.Time
	Message
}

// dropped says why a letter is not sent, and never will be.
type dropped string

func (d dropped) Error() string { return string(d) }

// compose makes the envelope of a letter, or returns dropped, or another error
// when it may be tried again.
func (s *Sender) compose(ctx context.Context, letter record.Letter) (envelope, error) {
	if err := s.judge(letter); err != nil {
		return envelope{}, err
	}
	account, err := s.gate.AccountByID(ctx, letter.User)
	if errors.Is(err, jotgate.ErrNotFound) {
		return envelope{}, dropped("the account is gone")
	} else if err != nil {
		return envelope{}, err
	}
	if err := judgeAccount(letter, account); err != nil {
		return envelope{}, err
	}
	data, err := s.data(letter, account)
	if err != nil {
		return envelope{}, err
	}
	message, err := s.templates.render(letter.Kind, letter.Language, data)
	return envelope{s.from, letter.To, s.messageID(letter), s.settings.Now(), message}, err
}

// judge looks at the letter alone.
func (s *Sender) judge(letter record.Letter) error {
	switch {
	case letter.Kind == record.LetterDecoy:
		return dropped("it is a decoy")
	case letter.User == "":
		return dropped("it names no account")
	case !isAddress(letter.To):
		return dropped("it has no valid address")
	case letter.Attempts >= maxAttempts || s.settings.Now().Sub(letter.Created) >= s.settings.MaxAge:
		return dropped("it could not be sent in time")
	case !s.templates.know(letter.Kind):
		return errors.New("there are no templates for it") // a newer node may know it
	}
	return nil
}

// judgeAccount looks at what became of the account since the letter was
// written. A link goes to the account's present address alone: whoever has the
// one before it must not reset the password. A notice goes to the address it
// was written for, so that the owner hears of a change.
func judgeAccount(letter record.Letter, account *record.Account) error {
	links, active := false, true
	switch letter.Kind {
	case record.LetterActivation:
		links, active = true, false
	case record.LetterPasswordReset, record.LetterUsernameReset:
		links = true
	case record.LetterConfirmation, record.LetterNewSignIn:
	default:
		return nil
	}
	switch {
	case account.IsActive && !active:
		return dropped("the account is active already")
	case !account.IsActive && active:
		return dropped("the account is not active")
	case links && account.Email != letter.To:
		return dropped("the account has another address now")
	case links && active && strings.HasPrefix(account.Password, "!"): // as Django marks it
		return dropped("the account has no usable password any more")
	}
	return nil
}

// data is what the templates get.
func (s *Sender) data(letter record.Letter, account *record.Account) (Data, error) {
	d := Data{
		Site:     s.settings.Site,
		Username: clean(account.Username, maxName),
		Hours:    s.hours(),
		Detail:   clean(letter.Detail, maxDetail),
		Time:     letter.Created.UTC(),
	}
	if link, ok := s.links[letter.Kind]; ok {
		uid, token := s.gate.LinkParts(letter.Kind, account)
		if uid == "" || token == "" {
			return d, errors.New("the gate made no link for it")
		}
		d.Link = fillLink(link, uid, token)
	}
	return d, nil
}

func (s *Sender) hours() int { return int(s.settings.LinkLifetime / time.Hour) }

// messageID is RFC 5322's, the same whenever the letter is sent, so that a
// reader's program can tell a second copy.
func (s *Sender) messageID(letter record.Letter) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return fmt.Sprintf("jotgate.%d.%d@%s", letter.ID, letter.Created.UnixMicro(), domain)
}

// isAddress reports whether to is one bare address that can stand in a header
// and in an SMTP command (RFC 5322 section 3.4.1): no name, no comment, no
// list, no control characters.
func isAddress(to string) bool {
	if clean(to, maxAddress) != to {
		return false
	}
	address, err := mail.ParseAddress(to)
	return err == nil && address.Address == to
}

// clean makes one printable line of at most limit bytes: everything else (line
// breaks, escape codes, marks that reverse the text) becomes a blank.
func clean(s string, limit int) string {
	s = strings.ToValidUTF8(s[:min(len(s), limit)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
}

// Preview renders a letter of this kind with sample data, as settings and
// templates would make it. Language may be empty. It is an error when the kind
// has no templates.
func (s *Sender) Preview(kind record.LetterKind, language string) (Message, error) {
	if !s.templates.know(kind) {
		return Message{}, fmt.Errorf("mail: there is no letter of the kind %q", clean(string(kind), maxName))
	}
	d := Data{
		Site: s.settings.Site, Username: "alice", Hours: s.hours(),
		Detail: "192.0.2.7, Firefox on Linux", Time: time.Date(2026, 1, 31, 12, 30, 0, 0, time.UTC),
	}
	if link, ok := s.links[kind]; ok {
		d.Link = fillLink(link, "MQ", "dihx4b-072dde9df0114cdac3b6bd14c7863ed1")
	}
	return s.templates.render(kind, language, d)
}
