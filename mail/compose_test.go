package mail_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// Subjects are djoser's (golden/http/newest, outbox steps of djoser_*.json),
// and so are uid and token at the end of a link.
func TestMessages(t *testing.T) {
	for _, c := range []struct {
		kind    record.MessageKind
		user    record.UserID
		subject string
		text    string // a part of it
	}{
		{record.MessageActivation, "2", "Account activation on Golden", "https://app.example.com/#/activate/uid2/token-activation\n"},
		{record.MessageConfirmation, "1", "Golden - Your account has been successfully created and activated!", "log in as alice"},
		{record.MessagePasswordReset, "1", "Password reset on Golden", "https://app.example.com/#/password/reset/confirm/uid1/token-password_reset\n"},
		{record.MessagePasswordChanged, "1", "Golden - Your password has been successfully changed!", "2026-11-23 12:00 UTC"},
		{record.MessageUsernameReset, "1", "Username reset on Golden", "https://app.example.com/#/username/reset/confirm/uid1/token-username_reset\n"},
		{record.MessageUsernameChanged, "1", "Golden - Your username has been successfully changed!", "It is now alice."},
		{record.MessageEmailChanged, "1", "Golden - The email address of your account has been changed", "https://app.example.com/#/email/change/undo/uid1/token-email_changed\n"},
		{record.MessageEmailChange, "1", "Confirm your email address on Golden", "https://app.example.com/#/email/change/confirm/uid1/token-email_change\n"},
		{record.MessageNewSignIn, "1", "New sign-in to Golden", "\n192.0.2.7, Firefox\n"},
		{record.MessageFactorAdded, "1", "A second factor of your account on Golden was changed", "\n192.0.2.7, Firefox\n"},
		{record.MessageFactorRemoved, "1", "A second factor of your account on Golden was removed", "was removed on"},
		{record.MessageFactorsReset, "1", "The second factors of your account on Golden are being reset", "\n192.0.2.7, Firefox\n"},
		{record.MessageImpersonated, "1", "A member of staff signed in to your account on Golden", "\n192.0.2.7, Firefox\n"},
		{record.MessageRecoveryUsed, "1", "A recovery code was used on Golden", "192.0.2.7, Firefox."},
		{record.MessagePasskeyCopied, "1", "A passkey of your account on Golden may have been copied", "\n192.0.2.7, Firefox\n"},
		{record.MessageDeletion, "1", "Golden - Your account will be deleted", "deleted on 192.0.2.7, Firefox (UTC)"},
		{record.MessageWrongCodes, "1", "Wrong codes for your account on Golden", "Ten wrong codes"},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			o := open(t, nil)
			o.enqueue(t, record.Message{
				Kind: c.kind, User: c.user, To: o.people[c.user].Email, Created: start, Detail: "192.0.2.7, Firefox",
			})
			o.round(t, 1)
			head := "From: \"Golden\" <noreply@example.com>\nTo: " + o.people[c.user].Email + "\nSubject: " + c.subject + "\n\n"
			if got := o.output.String(); !strings.Contains(got, head) || !strings.Contains(got, c.text) && !strings.Contains(strings.Join(strings.Fields(got), " "), c.text) {
				t.Errorf("got\n%swant the head\n%sand %q", got, head, c.text)
			}
			if o.outbox.waiting() != 0 {
				t.Error("the message is still in the outbox")
			}
			o.logged(t, "a message was sent", "kind="+string(c.kind), "user_id="+string(c.user))
		})
	}
}

// Each message but the first is not sent, for one difference from the first or
// from one of TestMessages.
func TestDropped(t *testing.T) {
	reset := record.Message{Kind: record.MessagePasswordReset, User: "1", To: "alice@example.com", Created: start}
	for _, c := range []struct {
		name    string
		message func(*record.Message)
		people  func(accounts)
		cause   string // in the log; empty: sent
	}{
		{"sent", nil, nil, ""},
		{"gone", nil, func(a accounts) { delete(a, "1") }, "the account is gone"},
		{"inactive", nil, func(a accounts) { a["1"].IsActive = false }, "the account is not active"},
		{"other address", nil, func(a accounts) { a["1"].Email = "alice@example.org" }, "the account has another address now"},
		{"look-alike address", nil, func(a accounts) { a["1"].Email = "al\u0131ce@example.com" }, "the account has another address now"},
		{
			"look-alike letter", func(l *record.Message) { l.To = "al\u0131ce@example.com" }, nil,
			"the account has another address now",
		},
		{"username reset, inactive", func(l *record.Message) { l.Kind = record.MessageUsernameReset }, func(a accounts) { a["1"].IsActive = false }, "the account is not active"},
		{"active already", func(l *record.Message) { l.Kind = record.MessageActivation }, nil, "the account is active already"},
		{"confirmation of an inactive one", func(l *record.Message) { l.Kind = record.MessageConfirmation }, func(a accounts) { a["1"].IsActive = false }, "the account is not active"},
		{"password made unusable", nil, func(a accounts) { a["1"].Password = "!x" }, "the account has no usable password any more"},
		{"nobody's", func(l *record.Message) { l.Kind, l.User = record.MessagePasswordChanged, "" }, nil, "it names no account"},
		{"nobody's any more", func(l *record.Message) { l.User = "" }, func(a accounts) { a["1"].Email = "alice@example.org" }, "no account has the address any more"},
		{"no address", func(l *record.Message) { l.To = "" }, nil, "it has no valid address"},
		{"a notice goes to the old address", func(l *record.Message) { l.Kind = record.MessagePasswordChanged }, func(a accounts) { a["1"].Email = "alice@example.org" }, ""},
		{"three days old", func(l *record.Message) { l.Created = start.AddDate(0, 0, -3) }, nil, "it could not be sent in time"},
		{"less than three days old", func(l *record.Message) { l.Created = start.AddDate(0, 0, -3).Add(1) }, nil, ""},
		{"many attempts", func(l *record.Message) { l.Attempts = 40 }, nil, "it could not be sent in time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := open(t, nil)
			message := reset
			if c.message != nil {
				c.message(&message)
			}
			if c.people != nil {
				c.people(o.people)
			}
			o.enqueue(t, message)
			o.round(t, 1)
			if sent := o.output.String() != ""; sent != (c.cause == "") {
				t.Errorf("sent: %v", sent)
			}
			if o.outbox.waiting() != 0 {
				t.Error("the message is still in the outbox")
			}
			if c.cause != "" {
				o.logged(t, c.cause)
			}
		})
	}
}

// A decoy leaves neither a message nor a line in the log.
func TestDecoy(t *testing.T) {
	o := open(t, nil)
	o.enqueue(t, record.Message{Kind: record.MessageDecoy, To: "nobody@example.com", Created: start})
	o.round(t, 1)
	if o.outbox.waiting() != 0 || o.output.String() != "" || o.log.String() != "" {
		t.Errorf("waiting %d, output %q, log %q", o.outbox.waiting(), o.output, o.log)
	}
}

// H079, H110: what people put into their names and addresses stays in its
// place. The Sender must hold by itself, whatever the endpoints let through.
func TestInjection(t *testing.T) {
	for _, to := range []string{
		"alice@example.com\r\nBcc: mallory@example.com",
		"alice@example.com\nBcc: mallory@example.com",
		"alice@example.com\x00",
		"alice@example.com, mallory@example.com",
		"Alice <alice@example.com>",
		"<alice@example.com>",
		"alice@example.com (Bcc: mallory@example.com)",
		"alice@example.com>\r\nRCPT TO:<mallory@example.com",
		" alice@example.com",
		"ali\u202ece@example.com",
		"group: alice@example.com, mallory@example.com;",
		strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 120) + "example.com",
		strings.Repeat(`"`, 100_000),
		strings.Repeat("(", 100_000),
		strings.Repeat("@", 100_000),
	} {
		o := open(t, nil)
		o.people["1"].Email = to
		o.write(t, record.MessagePasswordReset, "1")
		o.round(t, 1)
		if o.output.String() != "" || o.outbox.waiting() != 0 {
			t.Errorf("sent to %.80q", to)
		}
		o.logged(t, "it has no valid address")
	}
}

func TestNamesStayInTheirPlace(t *testing.T) {
	o := open(t, func(s *mail.Settings) {
		s.Templates = files("en/new_sign_in.txt", "Subject: Hello {{.Username}}\n\nfor {{.Username}} from {{.Detail}}", "en/new_sign_in.html",
			`<a title="{{.Username}}" href="{{.Username}}">{{.Username}}</a><script>x = {{.Username}}</script>`)
	})
	const name = "a\r\nBcc: m@example.com\r\n\r\n\x1b[2J\u202e{{.Link}} <script>\"'"
	o.people["1"].Username = name
	o.enqueue(t, record.Message{
		Kind: record.MessageNewSignIn, User: "1", To: "alice@example.com", Created: start, Detail: "Fire\nfox" + strings.Repeat("x", 10_000),
	})
	o.round(t, 1)
	lines := strings.Split(strings.TrimSpace(o.output.String()), "\n")
	flat := "a  Bcc: m@example.com     [2J {{.Link}} <script>\"'"
	want := []string{
		"From: \"Golden\" <noreply@example.com>", "To: alice@example.com", "Subject: Hello " + flat, "",
		"for " + flat + " from Fire fox" + strings.Repeat("x", 256-8),
	}
	if diff := cmp.Diff(want, lines[1:len(lines)-1]); diff != "" {
		t.Error(diff)
	}
}

// Not even a template of one's own can break a subject in two.
func TestSubjectIsOneLine(t *testing.T) {
	o := open(t, func(s *mail.Settings) {
		s.Templates = files("en/confirmation.txt", `Subject: {{"a\r\nBcc: m@example.com"}}{{range 500}}x{{end}}`+"\n\nb")
	})
	m, err := o.Preview(record.MessageConfirmation, "")
	if want := "a  Bcc: m@example.com" + strings.Repeat("x", 256-21); err != nil || m.Subject != want {
		t.Errorf("%q, %v", m.Subject, err)
	}
}

func TestPreview(t *testing.T) {
	o := open(t, nil)
	m, err := o.Preview(record.MessagePasswordReset, "")
	if err != nil {
		t.Fatal(err)
	}
	const link = "https://app.example.com/#/password/reset/confirm/MQ/dihx4b-072dde9df0114cdac3b6bd14c7863ed1"
	if !strings.Contains(m.Text, "\n"+link+"\n") || strings.Count(m.HTML, link) != 2 || !strings.Contains(m.Text, "within 72 hours") {
		t.Errorf("%+v", m)
	}
	for _, kind := range []record.MessageKind{record.MessageDecoy, "", "../en/activation"} {
		if _, err := o.Preview(kind, ""); err == nil {
			t.Errorf("there is a preview of %q", kind)
		}
	}
}

// A message about several accounts has a link for each, the first of them first;
// names that could be read as addresses are left out unless the address is
// verified or is the name.
func TestSeveralAccounts(t *testing.T) {
	o := open(t, nil)
	for id, name := range map[record.UserID]string{"5": "www.evil.example", "6": "bob", "7": "shared@example.com", "8": "jane.doe"} {
		o.people[id] = &record.Account{ID: id, Username: name, Password: "pbkdf2_sha256$1$salt$x", Email: "shared@example.com", IsActive: id == "8"}
	}
	o.enqueue(t, record.Message{Kind: record.MessagePasswordReset, To: "shared@example.com", Created: start})
	o.round(t, 1)
	got := o.output.String()
	for _, want := range []string{"/uid5/token-password_reset\n", "\nbob: https://app.example.com/#/password/reset/confirm/uid6/", "\nshared@example.com: https://", "\njane.doe: https://"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if strings.Contains(got, "evil") {
		t.Error(got)
	}
}

// Discard takes messages out of the outbox, and a link reaches nobody.
func TestDiscard(t *testing.T) {
	outbox, log := &outbox{}, &buffer{}
	s, err := mail.New(mail.Settings{BaseURL: "https://x.example", Discard: true, Logger: slog.New(slog.NewTextHandler(log, nil)), Now: func() time.Time { return start }}, people(), people(), outbox)
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.Add(t.Context(), record.Message{Kind: record.MessagePasswordReset, User: "1", To: "alice@example.com", Created: start}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SendDue(t.Context()); n != 1 || err != nil || outbox.waiting() != 0 || log.String() != "" {
		t.Errorf("%d %v, %d waiting, log %q", n, err, outbox.waiting(), log)
	}
}
