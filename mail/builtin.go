// The built-in messages: paragraphs of the catalog, in every language that it has.

package mail

import (
	"fmt"
	"html/template"
	"strings"
	"sync"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/record"
)

// values is what templates are executed with: Data, and what only the built-in
// ones need.
type values struct {
	Data
	Language, Direction string
	Paragraphs          []paragraph
}

// paragraph is a text, a link, or both.
type paragraph struct {
	Text string
	Link template.URL
}

// timeForm is how messages show a time: no words, so that it fits every language.
const timeForm = "2006-01-02 15:04 MST"

// builtIn returns the subject and the paragraphs of a message.
func builtIn(l *catalog.Catalog, kind record.MessageKind, d *Data) (subject string, all []paragraph) {
	id := "mail." + string(kind)
	add := func(id string, values ...any) { all = append(all, paragraph{Text: l.Text(id, values...)}) }
	link := func() { all = append(all, paragraph{Link: d.Link}) }
	add(id+".text", d.Site, d.Username, d.Time.Format(timeForm), d.Detail)
	switch kind {
	case record.MessageActivation, record.MessageEmailChange:
		add(id+".link", d.Hours)
		link()
		all = append(all, others(l, d)...)
		add(id + ".ignore")
	case record.MessageInvitation:
		add(id+".link", d.Detail)
		link()
		add(id + ".ignore")
	case record.MessagePasswordReset, record.MessageUsernameReset:
		add("mail.choose", d.Hours)
		link()
		if d.Username != "" {
			add("mail.username", d.Username)
		}
		all = append(all, others(l, d)...)
		add(id + ".ignore")
	case record.MessageLoginCode:
		all = append(all, paragraph{Text: d.Code})
		add(id + ".link")
		link()
		add(id + ".ignore")
	case record.MessageDeletion, record.MessageEmailChanged:
		switch {
		case d.Link != "":
			add(id + ".undo")
			link()
		case kind == record.MessageEmailChanged:
			add(id+".warn", d.Site)
		}
	case record.MessageFactorAdded, record.MessageFactorsReset, record.MessageNewSignIn, record.MessagePasskeyCopied, record.MessageImpersonated, record.MessageAPIKeyExpiring:
		all = append(all, paragraph{Text: d.Detail})
		add(id+".warn", d.Site)
	case record.MessageFactorRemoved, record.MessageRecoveryUsed, record.MessageWrongCodes:
		add(id + ".warn")
	case record.MessageProviderConnected, record.MessageProviderDisconnected:
		add("mail.provider_connected.warn")
	case record.MessagePasswordChanged, record.MessageUsernameChanged:
		add("mail.stolen")
	}
	return l.Text(id+".subject", d.Site), all
}

// others lists the further accounts with the address.
func others(l *catalog.Catalog, d *Data) (all []paragraph) {
	for i, other := range d.Others {
		if i == 0 {
			all = append(all, paragraph{Text: l.Text("mail.others")})
		}
		p := paragraph{Link: other.Link}
		if other.Username != "" {
			p.Text = other.Username + ":"
		}
		all = append(all, p)
	}
	return all
}

// plain returns the paragraphs as text, and the site's name as the signature.
func plain(all []paragraph, site string) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString(wrap(p.Text))
		if p.Text != "" && p.Link != "" {
			b.WriteByte(' ')
		}
		b.WriteString(string(p.Link))
		b.WriteString("\n\n")
	}
	b.WriteString(site)
	b.WriteByte('\n')
	return b.String()
}

// maxLine is the length of the lines of a text, in characters (RFC 5322 section
// 2.1.1).
const maxLine = 78

// wrap breaks a text between its words.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i > 0 && width+1+n > maxLine:
			b.WriteByte('\n')
			width = 0
		case i > 0:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String()
}

// builtInLayout is the frame of messages without one of the operator. It is parsed
// when the first message is sent; a test renders every built-in message.
var builtInLayout = sync.OnceValues(func() (*template.Template, error) {
	layout, err := readTemplate(embedded, "templates/layout.html")
	if err != nil {
		return nil, err
	}
	return withBuiltIn(layout)
})

// withBuiltIn parses a layout for the built-in messages.
func withBuiltIn(layout string) (*template.Template, error) {
	content, err := readTemplate(embedded, "templates/content.html")
	if err != nil {
		return nil, err
	}
	return parseLayout(layout, content)
}

// parseLayout parses a layout and its content.
func parseLayout(layout, content string) (*template.Template, error) {
	t, err := template.New("layout").Parse(layout)
	if err != nil {
		return nil, err
	}
	if _, err = t.New("content").Parse(content); err != nil {
		return nil, fmt.Errorf("content: %w", err)
	}
	return t, nil
}
