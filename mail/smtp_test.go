package mail_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// toServer makes an office that sends by the server; address has %s for
// host:port.
func toServer(t *testing.T, address, hostPort string, config *tls.Config) *office {
	t.Helper()
	return open(t, func(s *mail.Settings) {
		s.Server, s.TLS = jotgate.Secret(strings.Replace(address, "%s", hostPort, 1)), config
	})
}

const (
	withTLS    = "smtp://%s"
	withoutTLS = "smtp://%s?tls=insecure-off"
	fromStart  = "smtps://%s"
)

// Every pair of a server and an address that must work, and beside each one
// that differs in one point and must not.
func TestConnections(t *testing.T) {
	own, trust := authority(t)
	_, strange := authority(t)
	users := map[string]string{"us@r": "p:ss/w%rd"}
	const login = "us%40r:p%3Ass%2Fw%25rd@"
	for _, c := range []struct {
		name    string
		server  *server
		address string
		config  *tls.Config
		want    delivery // to == "": nothing must arrive
		cause   string   // in the log
	}{
		{"plain", &server{plain: true}, withoutTLS, nil, delivery{to: "alice@example.com"}, ""},
		{"plain, TLS wanted", &server{plain: true}, withTLS, trust, delivery{}, "STARTTLS"},
		{"STARTTLS", &server{}, withTLS, trust, delivery{to: "alice@example.com", tls: true}, ""},
		{"STARTTLS, strange authority", &server{}, withTLS, strange, delivery{}, "certificate signed by unknown authority"},
		{"STARTTLS, no authority", &server{}, withTLS, nil, delivery{}, "certificate signed by unknown authority"},
		{"TLS", &server{implicit: true}, fromStart, trust, delivery{to: "alice@example.com", tls: true}, ""},
		{"TLS, strange authority", &server{implicit: true}, fromStart, strange, delivery{}, "certificate signed by unknown authority"},
		{"AUTH PLAIN", &server{users: users, mechs: []string{"PLAIN"}}, "smtp://" + login + "%s", trust, delivery{to: "alice@example.com", tls: true, user: "us@r"}, ""},
		{"AUTH LOGIN", &server{users: users, mechs: []string{"LOGIN"}}, "smtp://" + login + "%s", trust, delivery{to: "alice@example.com", tls: true, user: "us@r"}, ""},
		{"AUTH in TLS", &server{implicit: true, users: users, mechs: []string{"PLAIN"}}, "smtps://" + login + "%s", trust, delivery{to: "alice@example.com", tls: true, user: "us@r"}, ""},
		{"AUTH, wrong password", &server{users: users, mechs: []string{"PLAIN"}}, "smtp://us%40r:pass@%s", trust, delivery{}, "535"},
		{"AUTH, no user", &server{users: users, mechs: []string{"PLAIN"}}, withTLS, trust, delivery{}, "502"},
		{"AUTH, STARTTLS taken away", &server{plain: true, users: users, mechs: []string{"PLAIN"}}, "smtp://" + login + "%s", trust, delivery{}, "STARTTLS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.server, own)
			o := toServer(t, c.address, s.addr, c.config)
			o.write(t, record.MessagePasswordReset, "1")
			o.round(t, 1)
			if c.want.to == "" {
				if got := s.mail(); len(got) != 0 || o.outbox.waiting() != 1 || len(o.outbox.failed()) != 1 {
					t.Errorf("arrived: %v; failures: %v", got, o.outbox.failed())
				}
				o.logged(t, "will be tried again", c.cause)
			} else {
				c.want.from = "noreply@example.com"
				got := s.mail()
				for i := range got {
					got[i].data = ""
				}
				if diff := cmp.Diff([]delivery{c.want}, got, cmp.AllowUnexported(delivery{})); diff != "" {
					t.Errorf("%s\n%s", diff, o.log)
				}
			}
			if strings.Contains(o.log.String(), "p:ss") || strings.Contains(o.log.String(), "p%3Ass") {
				t.Errorf("the password is in the log: %s", o.log)
			}
		})
	}
}

// The message as it arrives: headers, both parts, and names that are not ASCII.
func TestOnTheWire(t *testing.T) {
	s := serve(t, &server{plain: true}, nil)
	o := open(t, func(set *mail.Settings) {
		set.Server, set.Site = jotgate.Secret("smtp://"+s.addr+"?tls=insecure-off"), "Gölden <b>&"
		set.From = "Gölden <noreply@example.com>"
	})
	o.people["1"].Username = `ali"ce<script>alert(1)</script>`
	o.write(t, record.MessagePasswordReset, "1")
	o.round(t, 1)
	if len(s.mail()) != 1 {
		t.Fatal(o.log)
	}
	m, err := netmail.ReadMessage(strings.NewReader(s.mail()[0].data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": "Gölden <noreply@example.com>", "To": "<alice@example.com>", "Subject": "Password reset on Gölden <b>&",
		"Auto-Submitted": "auto-generated", "Message-ID": "<jotgate.1.1795435200000000@example.com>",
		"Date": "Mon, 23 Nov 2026 12:00:00 +0000", "User-Agent": "", "X-Mailer": "", "Bcc": "",
	} {
		got, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get(name))
		if got = strings.ReplaceAll(got, `"`, ""); got != want || err != nil {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	plain, html := parts(t, m)
	const link = "https://app.example.com/#/password/reset/confirm/uid1/token-password_reset"
	if !strings.Contains(plain, "\n"+link+"\n") || !strings.Contains(plain, `Your username is ali"ce<script>alert(1)</script>.`) {
		t.Error(plain)
	}
	if !strings.Contains(html, `<a href="`+link+`"`) || !strings.Contains(html, "Gölden &lt;b&gt;&amp;") ||
		!strings.Contains(html, "ali&#34;ce&lt;script&gt;alert(1)&lt;/script&gt;.") {
		t.Error(html)
	}
}

// An international domain is in its ASCII form in the envelope and in the
// header, which servers without SMTPUTF8 (RFC 6531) require.
func TestInternationalDomain(t *testing.T) {
	s := serve(t, &server{plain: true}, nil)
	o := open(t, func(set *mail.Settings) {
		set.Server, set.From = jotgate.Secret("smtp://"+s.addr+"?tls=insecure-off"), "noreply@example.com"
	})
	o.people["1"].Email = "bob@münchen.de"
	o.write(t, record.MessagePasswordReset, "1")
	o.round(t, 1)
	if len(s.mail()) != 1 {
		t.Fatal(o.log)
	}
	got := s.mail()[0]
	if got.to != "bob@xn--mnchen-3ya.de" {
		t.Errorf("RCPT TO %q", got.to)
	}
	m, err := netmail.ReadMessage(strings.NewReader(got.data))
	if err != nil || m.Header.Get("To") != "<bob@xn--mnchen-3ya.de>" {
		t.Errorf("To %q, %v", m.Header.Get("To"), err)
	}
}

// parts decodes the two alternatives.
func parts(t *testing.T, m *netmail.Message) (plain, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatal(kind, err)
	}
	reader := multipart.NewReader(m.Body, params["boundary"])
	for _, part := range []struct {
		kind string
		text *string
	}{{"text/plain; charset=UTF-8", &plain}, {"text/html; charset=UTF-8", &html}} {
		p, err := reader.NextRawPart()
		if err != nil || p.Header.Get("Content-Type") != part.kind {
			t.Fatal(p, err)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		*part.text = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	return plain, html
}

// A refusal for good ends a message; one that may pass, or that the operator
// can fix, does not.
func TestRefusals(t *testing.T) {
	refuse := func(code int, enhanced smtp.EnhancedCode) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: enhanced, Message: "no"}
	}
	for _, c := range []struct {
		name       string
		rcpt, data error
		final      bool
	}{
		{"no such user", refuse(550, smtp.EnhancedCode{5, 1, 1}), nil, true},
		{"no such user, old server", refuse(550, smtp.NoEnhancedCode), nil, true},
		{"relaying denied", refuse(550, smtp.EnhancedCode{5, 7, 1}), nil, false},
		{"grey list", refuse(450, smtp.EnhancedCode{4, 2, 0}), nil, false},
		{"text refused", nil, refuse(554, smtp.EnhancedCode{5, 6, 0}), true},
		{"text taken for spam", nil, refuse(554, smtp.EnhancedCode{5, 7, 1}), false},
		{"disk full", nil, refuse(452, smtp.EnhancedCode{4, 3, 1}), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, &server{
				plain: true, refuse: func(string) error { return c.rcpt },
				data: func(*session, int) error { return c.data },
			}, nil)
			o := toServer(t, withoutTLS, s.addr, nil)
			o.write(t, record.MessagePasswordReset, "1")
			o.round(t, 1)
			if given := o.outbox.waiting() == 0; given != c.final || len(s.mail()) != 0 {
				t.Errorf("given up: %v, want %v; arrived: %d", given, c.final, len(s.mail()))
			}
			if c.final {
				o.logged(t, "rejected and will not be sent")
			} else if f := o.outbox.failed(); len(f) != 1 || !strings.Contains(f[0].reason, "no") {
				t.Errorf("failures: %v", f)
			}
		})
	}
}

// A server that dies in the middle has not taken the message; the next try is
// the same message.
func TestServerDies(t *testing.T) {
	s := serve(t, &server{plain: true, data: func(s *session, n int) error {
		if n == 1 {
			_ = s.conn.Conn().Close()
		}
		return nil
	}}, nil)
	o := toServer(t, withoutTLS, s.addr, nil)
	o.write(t, record.MessagePasswordReset, "1")
	o.round(t, 1)
	if len(s.mail()) != 0 || len(o.outbox.failed()) != 1 {
		t.Fatalf("arrived %v, failures %v", s.mail(), o.outbox.failed())
	}
	o.round(t, 0)
	o.advance(31 * time.Second)
	o.round(t, 1)
	o.advance(time.Hour)
	o.round(t, 0)
	if got := s.mail(); len(got) != 1 || !strings.Contains(got[0].data, "Message-ID: <jotgate.1.1795435200000000@example.com>") {
		t.Errorf("arrived %v", got)
	}
}

// Messages to a slow server are under way at the same time, four at most: the
// server takes none before the others of its round are there as well.
func TestSlowServer(t *testing.T) {
	var four, two sync.WaitGroup
	four.Add(4)
	two.Add(2)
	s := serve(t, &server{plain: true, data: func(_ *session, n int) error {
		round := &four
		if n > 4 {
			round = &two
		}
		round.Done()
		round.Wait()
		return nil
	}}, nil)
	o := toServer(t, withoutTLS, s.addr, nil)
	for range 6 {
		o.write(t, record.MessagePasswordReset, "1")
	}
	o.round(t, 4)
	o.round(t, 2)
	s.mu.Lock()
	most := s.most
	s.mu.Unlock()
	if len(s.mail()) != 6 || o.outbox.waiting() != 0 || most > 4 {
		t.Errorf("arrived %d, waiting %d, %d at once", len(s.mail()), o.outbox.waiting(), most)
	}
}

func TestServerSettings(t *testing.T) {
	for _, good := range []string{
		"smtp://mail.example.com", "smtp://mail.example.com:25", "smtp://user:pass@mail.example.com:587/", "smtp://user@mail.example.com",
		"smtps://user:pass@mail.example.com", "smtp://[::1]:25?tls=insecure-off", "smtp://localhost?tls=insecure-off",
	} {
		if _, err := mail.New(mail.Settings{Server: jotgate.Secret(good), From: "a@example.com", BaseURL: "https://x.example"}, people(), people(), &outbox{}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"mail.example.com:25", "http://hunter2@mail.example.com", "smtp://", "smtp://:587", "smtp://u:hunter2@mail.example.com:0",
		"smtp://u:hunter2@mail.example.com:65536", "smtp://u:hunter2@mail.example.com:smtp", "smtp://u:hunter2@mail.example.com/path",
		"smtp://u:hunter2@mail.example.com?tls=insecure-off", "smtp://mail.example.com?tls=off", "smtps://mail.example.com?tls=insecure-off",
		"smtp://u:hunter2@mail.example.com#x", "smtp://u:%zzhunter2@mail.example.com", "smtp://u:hunter2@mail.example.com:587\r\n",
	} {
		_, err := mail.New(mail.Settings{Server: jotgate.Secret(bad), From: "a@example.com", BaseURL: "https://x.example"}, people(), people(), &outbox{})
		if err == nil || !strings.HasPrefix(err.Error(), "mail: Settings.Server ") || strings.Contains(fmt.Sprintf("%v %#v", err, err), "hunter2") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
