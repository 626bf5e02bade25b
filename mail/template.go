// The operator's texts: a folder for each language, a file for each kind of message
// (two with HTML).

package mail

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	html "html/template"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	text "text/template"

	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/record"
)

const fallbackLanguage = "en"

// maxTemplate bounds a template file and each part of a message, in bytes.
const maxTemplate = 256 << 10

//go:embed templates
var embedded embed.FS

// allKinds are the messages that have templates.
var allKinds = []record.MessageKind{
	record.MessageInvitation, record.MessageActivation, record.MessageConfirmation, record.MessagePasswordReset, record.MessagePasswordChanged,
	record.MessageUsernameReset, record.MessageUsernameChanged, record.MessageEmailChange, record.MessageEmailChanged,
	record.MessageNewSignIn, record.MessageDeletion, record.MessageLoginCode,
	record.MessageFactorAdded, record.MessageFactorRemoved, record.MessageFactorsReset, record.MessageRecoveryUsed, record.MessageWrongCodes,
	record.MessagePasskeyCopied, record.MessageImpersonated,
	record.MessageProviderConnected, record.MessageProviderDisconnected,
	record.MessageAPIKeyExpiring,
}

// templates holds the operator's templates and the catalogs of the built-in messages.
type templates struct {
	catalogs *catalog.Catalogs
	language string                                            // for messages without one
	own      map[string]map[record.MessageKind]messageTemplate // by language
	layouts  map[string]*html.Template                         // by language: the operator's, for built-in messages
}

type messageTemplate struct {
	subject, text *text.Template
	html          *html.Template // nil: text alone
}

// loadTemplates reads the operator's templates and catalogs, which may be nil.
func loadTemplates(override, locale fs.FS, language string) (*templates, error) {
	t := &templates{language: language, own: map[string]map[record.MessageKind]messageTemplate{}, layouts: map[string]*html.Template{}}
	var err error
	if t.catalogs, err = catalog.Load(locale); err != nil {
		return nil, fmt.Errorf("Settings.Locale: %w", err)
	}
	if override != nil {
		if err := t.readOwn(override); err != nil {
			return nil, fmt.Errorf("Settings.Templates: %w", err)
		}
	}
	if t.pick(language) == nil && t.catalogs.Match(language) == nil {
		return nil, fmt.Errorf("Settings.Language: there are no templates for %q", language)
	}
	return t, nil
}

// readOwn reads the operator's folders.
func (t *templates) readOwn(from fs.FS) error {
	languages, err := listLanguages(from)
	if err != nil {
		return err
	}
	for _, language := range languages {
		if t.own[language], err = loadLanguage(from, language); err != nil {
			return err
		}
		layout, err := readTemplate(from, language+"/layout.html")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		if t.layouts[language], err = withBuiltIn(layout); err != nil {
			return fmt.Errorf("%s/%w", language, err)
		}
	}
	return nil
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$`)

// listLanguages lists the folders.
func listLanguages(from fs.FS) (languages []string, err error) {
	entries, err := fs.ReadDir(from, ".")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.IsDir() && !languageTag.MatchString(e.Name()) {
			return nil, fmt.Errorf("the folder %q is not a language, such as en or pt-br", e.Name())
		}
		if e.IsDir() {
			languages = append(languages, e.Name())
		}
	}
	return languages, nil
}

// loadLanguage reads one folder.
func loadLanguage(from fs.FS, language string) (map[record.MessageKind]messageTemplate, error) {
	layout, err := findLayout(from, language)
	if err != nil {
		return nil, err
	}
	messages := map[record.MessageKind]messageTemplate{}
	for _, kind := range allKinds {
		name := language + "/" + string(kind)
		body, page, err := findMessage(from, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		if messages[kind], err = parseMessage(body, page, layout); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return messages, nil
}

// findMessage reads text and HTML, which is empty without one. The error is
// fs.ErrNotExist if there is no text.
func findMessage(from fs.FS, name string) (body, page string, err error) {
	if body, err = readTemplate(from, name+".txt"); err != nil {
		return "", "", err
	}
	page, err = readTemplate(from, name+".html")
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return body, page, err
}

// findLayout reads layout.html of the language, of the fallback language, or the
// built-in one.
func findLayout(from fs.FS, language string) (layout string, err error) {
	for _, folder := range []string{language, fallbackLanguage} {
		layout, err = readTemplate(from, folder+"/layout.html")
		if !errors.Is(err, fs.ErrNotExist) {
			return layout, err
		}
	}
	return readTemplate(embedded, "templates/layout.html")
}

func readTemplate(from fs.FS, name string) (string, error) {
	b, err := fs.ReadFile(from, name)
	if err == nil && len(b) > maxTemplate {
		return "", fmt.Errorf("%s has more than %d bytes", name, maxTemplate)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n"), err
}

// parseMessage splits the text file at its first blank line before values are filled
// in, so that no value can end the subject and begin the text.
func parseMessage(body, page, layout string) (l messageTemplate, err error) {
	head, rest, ok := strings.Cut(body, "\n\n")
	subject, named := strings.CutPrefix(head, "Subject: ")
	if !ok || !named || strings.Contains(subject, "\n") {
		return l, errors.New("the text must begin with a line \"Subject: …\" and a blank line")
	}
	if l.subject, err = text.New("subject").Parse(subject); err != nil {
		return l, err
	}
	if l.text, err = text.New("text").Parse(rest); err != nil || page == "" {
		return l, err
	}
	l.html, err = parseLayout(layout, page)
	return l, err
}

// know reports whether there are templates for the kind.
func (t *templates) know(kind record.MessageKind) bool { return slices.Contains(allKinds, kind) }

// pick returns the operator's templates of a language or, for a tag such as pt-br,
// of its base language pt; nil if there are none.
func (t *templates) pick(language string) map[record.MessageKind]messageTemplate {
	language = strings.ReplaceAll(strings.ToLower(language[:min(len(language), 64)]), "_", "-")
	if messages, ok := t.own[language]; ok {
		return messages
	}
	base, _, _ := strings.Cut(language, "-")
	return t.own[base]
}

// languages lists those of the catalogs and of the operator's templates, first the
// one of messages without a language.
func (t *templates) languages() []string {
	first := t.language
	if l := t.catalogs.Match(first); l != nil && t.pick(first) == nil {
		first = l.Code
	}
	list := []string{first}
	for _, l := range t.catalogs.List {
		list = append(list, l.Code)
	}
	list = append(list, slices.Sorted(maps.Keys(t.own))...)
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(code string) bool {
		again := seen[strings.ToLower(code)]
		seen[strings.ToLower(code)] = true
		return again
	})
}

// replaced reports whether the operator has the message in any language. Its
// built-in translations are then not used, only the English text: they would say
// something else.
func (t *templates) replaced(kind record.MessageKind) bool {
	for _, messages := range t.own {
		if _, ok := messages[kind]; ok {
			return true
		}
	}
	return false
}

// render returns a message in the wanted language, the site's, or English. The
// kind must be known.
func (t *templates) render(kind record.MessageKind, language string, d Data) (Message, error) {
	replaced := t.replaced(kind)
	for _, wanted := range []string{language, t.language, fallbackLanguage} {
		l := t.catalogs.Match(wanted)
		if own, ok := t.pick(wanted)[kind]; ok {
			return own.render(t.values(kind, wanted, l, d))
		}
		if l != nil && (!replaced || l == t.catalogs.List[0]) {
			return t.renderBuiltIn(kind, l, d)
		}
	}
	return t.renderBuiltIn(kind, t.catalogs.List[0], d)
}

// ownDetails are the messages whose details jotgate chooses, in English. Those of the
// others are names and reasons, which are not translated.
var ownDetails = []record.MessageKind{record.MessageNewSignIn, record.MessageFactorAdded, record.MessageFactorsReset}

// values adds to d what depends on the language. Without a catalog of the language
// details are English.
func (t *templates) values(kind record.MessageKind, language string, l *catalog.Catalog, d Data) values {
	v := values{Data: d, Language: language, Direction: "ltr"}
	if l == nil {
		return v
	}
	v.Language, v.Direction = l.Code, l.Dir
	if slices.Contains(ownDetails, kind) {
		v.Detail = l.DetailText(d.Detail)
	}
	return v
}

func (m messageTemplate) render(v values) (Message, error) {
	subject, err := execute(m.subject, v)
	if err != nil {
		return Message{}, err
	}
	message := Message{Subject: strings.TrimSpace(clean(subject, maxDetail))}
	if message.Text, err = execute(m.text, v); err != nil || m.html == nil {
		return message, err
	}
	message.HTML, err = execute(m.html, v)
	return message, err
}

func (t *templates) renderBuiltIn(kind record.MessageKind, l *catalog.Catalog, d Data) (m Message, err error) {
	v := t.values(kind, l.Code, l, d)
	m.Subject, v.Paragraphs = builtIn(l, kind, &v.Data)
	m.Subject = strings.TrimSpace(clean(m.Subject, maxDetail))
	m.Text = plain(v.Paragraphs, d.Site)
	layout, err := t.layout(l)
	if err != nil {
		return m, err
	}
	m.HTML, err = execute(layout, v)
	return m, err
}

// layout returns the frame of a built-in message.
func (t *templates) layout(l *catalog.Catalog) (*html.Template, error) {
	base, _, _ := strings.Cut(l.Code, "-")
	for _, language := range []string{strings.ToLower(l.Code), base, fallbackLanguage} {
		if own, ok := t.layouts[language]; ok {
			return own, nil
		}
	}
	return builtInLayout()
}

// execute runs either kind of template into a bounded buffer.
func execute[T interface {
	Execute(w io.Writer, data any) error
}](t T, v values) (string, error) {
	var b bounded
	if err := t.Execute(&b, v); err != nil {
		return "", err
	}
	return b.String(), nil
}

// bounded is a buffer that stops a template whose output is too long.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxTemplate {
		return 0, fmt.Errorf("a message has more than %d bytes", maxTemplate)
	}
	return b.Buffer.Write(p)
}

// tryTemplates renders every message with a template or a layout of the operator
// once, so that a mistake in one is an error of New, not of a message.
func (s *Sender) tryTemplates() error {
	for _, language := range slices.Sorted(maps.Keys(s.templates.own)) {
		for _, kind := range allKinds {
			_, own := s.templates.own[language][kind]
			if _, layout := s.templates.layouts[language]; !own && !layout {
				continue
			}
			if _, err := s.Preview(kind, language); err != nil {
				return fmt.Errorf("templates of %s/%s: %w", language, kind, err)
			}
		}
	}
	return nil
}
