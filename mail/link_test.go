package mail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// The link of golden/http/newest/djoser_activation.json is
// http://app.example.com/activate/{uid}/{token}.
func TestLinks(t *testing.T) {
	for _, c := range []struct{ base, path, want string }{
		{"http://app.example.com", "activate/{uid}/{token}", "http://app.example.com/activate/uid2/token-activation"},
		{"http://app.example.com/", "/activate/{uid}/{token}", "http://app.example.com/activate/uid2/token-activation"},
		{"http://app.example.com/app/", "", "http://app.example.com/app/#/activate/uid2/token-activation"},
		{"https://app.example.com:8443", "a?t={token}&u={uid}", "https://app.example.com:8443/a?t=token-activation&u=uid2"},
		{"myapp://open", "", "myapp://open/#/activate/uid2/token-activation"},
		{"http://app.example.com", "//evil.example/{uid}/{token}", "http://app.example.com/evil.example/uid2/token-activation"},
	} {
		o := open(t, func(s *mail.Settings) { s.BaseURL, s.ActivationPath = c.base, c.path })
		o.write(t, record.MessageActivation, "2")
		o.round(t, 1)
		if !strings.Contains(o.output.String(), "\n"+c.want+"\n") {
			t.Errorf("want %s in\n%s", c.want, o.output)
		}
		m, err := o.Preview(record.MessageActivation, "")
		if err != nil || !strings.Contains(m.HTML, `<a href="`+strings.SplitN(c.want, "/a", 2)[0]) {
			t.Errorf("%s, %v", m.HTML, err)
		}
	}
}

// A gate that makes no link makes no message.
func TestNoLink(t *testing.T) {
	o := &noLinks{people()}
	outbox, output := &outbox{}, &buffer{}
	s, err := mail.New(mail.Settings{BaseURL: "https://x.example", Output: output, Logger: quiet, Now: func() time.Time { return start }}, o, o, outbox)
	if err != nil {
		t.Fatal(err)
	}
	message := record.Message{Kind: record.MessagePasswordReset, User: "1", To: "alice@example.com", Created: start}
	if err := outbox.Add(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SendDue(t.Context()); err != nil || output.String() != "" || len(outbox.failed()) != 1 {
		t.Errorf("%v, %q, %v", err, output, outbox.failed())
	}
}

type noLinks struct{ accounts }

func (noLinks) Parts(record.MessageKind, *record.Account) (uid, token string) { return "MQ", "" }

// Each differs in one point from settings that are good.
func TestSettings(t *testing.T) {
	good := func() mail.Settings {
		return mail.Settings{BaseURL: "https://app.example.com", Output: &buffer{}}
	}
	if _, err := mail.New(good(), people(), people(), &outbox{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fault  string
		change func(*mail.Settings)
	}{
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "//app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "javascript://app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "JavaScript://app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "data://app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "https://app.example.com?x=1" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "https://app.example.com/#/" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "https://good.example@app.example.com" }},
		{"BaseURL", func(s *mail.Settings) { s.BaseURL = "https://app.example.com\r\n" }},
		{"password_reset", func(s *mail.Settings) { s.PasswordResetPath = "reset/{uid}" }},
		{"password_reset", func(s *mail.Settings) { s.PasswordResetPath = "reset/{token}" }},
		{"activation", func(s *mail.Settings) { s.ActivationPath = "{uid}/{token}/{token}" }},
		{"username_reset", func(s *mail.Settings) { s.UsernameResetPath = "{uid}/{token}\r\nBcc: x@example.com" }},
		{"From", func(s *mail.Settings) { s.From = "a@example.com\r\nBcc: x@example.com" }},
		{"From", func(s *mail.Settings) { s.From = "a@example.com, b@example.com" }},
		{"From", func(s *mail.Settings) { s.Server = "smtp://mail.example.com" }},
		{"Output", func(s *mail.Settings) { s.Output = nil }},
		{"Timeout", func(s *mail.Settings) { s.Timeout = -1 }},
		{"Language", func(s *mail.Settings) { s.Language = "it" }},
	} {
		s := good()
		c.change(&s)
		_, err := mail.New(s, people(), people(), &outbox{})
		if err == nil || !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%+v: %v", s, err)
		}
	}
	printed := fmt.Sprintf("%v %+v %#v", mail.Settings{Server: "smtp://u:hunter2@h"}, mail.Settings{Server: "smtp://u:hunter2@h"}, mail.Settings{Server: "smtp://u:hunter2@h"})
	if strings.Contains(printed, "hunter2") {
		t.Error(printed)
	}
}
