package mail_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/record"
)

// files makes a file system of pairs of name and content.
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

const german = "Subject: Neues Passwort für {{.Site}}\n\nBitte hier:\n{{.Link}}\n"

func TestLanguages(t *testing.T) {
	own := files(
		"de/password_reset.txt", german,
		"pt-br/password_reset.txt", "Subject: Senha\n\n{{.Link}}\n",
		"README.md", "what is no folder is passed over",
	)
	for _, c := range []struct{ site, message, subject string }{
		{"", "", "Password reset on Golden"},
		{"", "de", "Neues Passwort für Golden"},
		{"", "DE", "Neues Passwort für Golden"},
		{"", "de-AT", "Neues Passwort für Golden"},
		{"", "de_AT", "Neues Passwort für Golden"},
		{"", "pt-BR", "Senha"},
		{"", "pt", "Password reset on Golden"},
		{"", "fr", "Password reset on Golden"},
		{"", "../de", "Password reset on Golden"},
		{"", strings.Repeat("de-", 10_000), "Neues Passwort für Golden"},
		{"de", "", "Neues Passwort für Golden"},
		{"de", "fr", "Neues Passwort für Golden"},
		{"de", "en", "Password reset on Golden"},
	} {
		o := open(t, func(s *mail.Settings) { s.Templates, s.Language = own, c.site })
		m, err := o.Preview(record.MessagePasswordReset, c.message)
		if err != nil || m.Subject != c.subject {
			t.Errorf("site %q, message %.10q: subject %q, %v; want %q", c.site, c.message, m.Subject, err, c.subject)
		}
	}
}

// A message that a language lacks comes in the site's language, then English.
func TestMissingMessage(t *testing.T) {
	o := open(t, func(s *mail.Settings) {
		s.Templates, s.Language = files("de/password_reset.txt", german, "fr/activation.txt", "Subject: Salut\n\n{{.Link}}"), "fr"
	})
	for kind, want := range map[record.MessageKind]string{
		record.MessagePasswordReset: "Neues Passwort für Golden", record.MessageActivation: "Salut",
		record.MessageUsernameReset: "Neuer Benutzername für Golden", // the operator has none
	} {
		if m, err := o.Preview(kind, "de"); err != nil || m.Subject != want {
			t.Errorf("%s: %q, %v; want %q", kind, m.Subject, err, want)
		}
	}
}

// Text and HTML come from one place; the layout can be changed alone.
func TestOverride(t *testing.T) {
	const mine = "Subject: Mine\n\nHello {{.Username}}"
	for _, c := range []struct {
		name      string
		own       fstest.MapFS
		html, not string
	}{
		{"nothing", files(), "<!DOCTYPE html>", "<mine>"},
		{"text alone", files("en/confirmation.txt", mine), "", ""},
		{"both", files("en/confirmation.txt", mine, "en/confirmation.html", "<p>Hi {{.Username}}</p>"), "<p>Hi alice</p>", ""},
		{"layout", files("en/layout.html", `<mine>{{template "content" .}}</mine>`, "en/confirmation.txt", mine, "en/confirmation.html", "Hi"), "<mine>Hi</mine>", "DOCTYPE"},
	} {
		o := open(t, func(s *mail.Settings) { s.Templates = c.own })
		m, err := o.Preview(record.MessageConfirmation, "en")
		if err != nil || !strings.Contains(m.HTML, c.html) || c.html == "" && m.HTML != "" || c.not != "" && strings.Contains(m.HTML, c.not) {
			t.Errorf("%s: %+v, %v", c.name, m, err)
		}
	}
}

// A layout of one's own is for the messages that are built in, too.
func TestLayoutOfBuiltInMessages(t *testing.T) {
	o := open(t, func(s *mail.Settings) {
		s.Templates = files("en/layout.html", `<img src="https://app.example.com/logo.png">{{template "content" .}}`)
	})
	m, err := o.Preview(record.MessageConfirmation, "")
	if err != nil || !strings.HasPrefix(m.HTML, "<img") || !strings.Contains(m.HTML, "log in as alice now.") {
		t.Errorf("%q, %v", m.HTML, err)
	}
}

func TestBadTemplates(t *testing.T) {
	for name, c := range map[string]struct {
		own  fstest.MapFS
		want string
	}{
		"no subject":        {files("de/activation.txt", "Hello"), "Subject: "},
		"subject of two":    {files("de/activation.txt", "Subject: a\nBcc: b\n\nHello"), "Subject: "},
		"syntax":            {files("de/activation.txt", "Subject: a\n\n{{.Link"), "de/activation"},
		"unknown field":     {files("de/activation.txt", "Subject: a\n\n{{.Password}}"), "Password"},
		"unknown in HTML":   {files("de/activation.txt", "Subject: a\n\nb", "de/activation.html", "{{.Token}}"), "Token"},
		"no end":            {files("de/activation.txt", "Subject: a\n\n{{range 1000000}}0123456789{{end}}"), "more than 262144 bytes"},
		"large":             {files("de/activation.txt", "Subject: a\n\n"+strings.Repeat("x", 256<<10)), "more than 262144 bytes"},
		"not a language":    {files("Deutsch/activation.txt", german), `"Deutsch" is not a language`},
		"HTML unescapable":  {files("de/activation.txt", "Subject: a\n\nb", "de/activation.html", `<a href="{{if .Link}}"{{end}}>`), "de/activation"},
		"layout not closed": {files("en/layout.html", `{{template "content" .}`), "layout:1"},
	} {
		_, err := mail.New(mail.Settings{BaseURL: "https://x.example", Output: &buffer{}, Templates: c.own}, people(), people(), &outbox{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// Every built-in message is whole in every language of the catalog, and an operator's
// catalog changes its text.
func TestBuiltInMessages(t *testing.T) {
	embedded, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, nil)
	for _, l := range embedded.List {
		subjects := map[string]bool{}
		for _, kind := range mail.Kinds {
			m, err := o.Preview(kind, l.Code)
			if err != nil {
				t.Fatalf("%s/%s: %v", l.Code, kind, err)
			}
			all := m.Subject + m.Text + m.HTML
			if id := regexp.MustCompile(`mail\.[a-z_]|\{\d\}|%!`).FindString(all); id != "" {
				t.Errorf("%s/%s shows %q:\n%s", l.Code, kind, id, m.Text)
			}
			if english, _ := o.Preview(kind, "en"); l.Code != "en" && (english.Subject == m.Subject || english.Text == m.Text) {
				t.Errorf("%s/%s is English", l.Code, kind)
			}
			if !strings.Contains(m.HTML, `<html lang="`+l.Code+`" dir="`+l.Dir+`">`) || !strings.Contains(m.Text, "Golden") || subjects[m.Subject] {
				t.Errorf("%s/%s: %s\n%s", l.Code, kind, m.Subject, m.HTML)
			}
			subjects[m.Subject] = true
			for line := range strings.Lines(m.Text) {
				if len([]rune(line)) > 79 && strings.Contains(strings.TrimSpace(line), " ") {
					t.Errorf("%s/%s: a line of %d characters: %s", l.Code, kind, len([]rune(line)), line)
				}
			}
		}
	}
	own := open(t, func(s *mail.Settings) {
		s.Locale = files("de.txt", "mail.password_reset.subject = Passwort für {0}\n", "it.txt", "language = Italiano\ndirection = ltr\nmail.password_reset.subject = Nuova password\n")
	})
	for language, want := range map[string]string{"de": "Passwort für Golden", "it-CH": "Nuova password", "fr": "Réinitialisation du mot de passe sur Golden"} {
		if m, err := own.Preview(record.MessagePasswordReset, language); err != nil || m.Subject != want {
			t.Errorf("%s: %q, %v", language, m.Subject, err)
		}
	}
	for kind, want := range map[record.MessageKind]string{record.MessageNewSignIn: "Firefox unter Linux", record.MessageImpersonated: "Firefox on Linux"} {
		if m, err := o.Preview(kind, "de"); err != nil || !strings.Contains(m.Text, want) {
			t.Errorf("the detail of %s: %s, %v", kind, m.Text, err)
		}
	}
	_, err = mail.New(mail.Settings{BaseURL: "https://x.example", Output: &buffer{}, Locale: files("de.txt", "x")}, people(), people(), &outbox{})
	if err == nil || !strings.Contains(err.Error(), "Settings.Locale: de.txt:1: must be a line") {
		t.Error(err)
	}
}
