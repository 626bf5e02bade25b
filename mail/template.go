// The texts: a folder for each language, a file for each kind of message (two with
// HTML).

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

	"github.com/jotgate/jotgate/record"
)

const fallbackLanguage = "en"

// maxTemplate bounds a template file and each part of a message, in bytes.
const maxTemplate = 256 << 10

//go:embed templates
var embedded embed.FS

// kinds are the messages that have templates.
var kinds = []record.MessageKind{
	record.MessageActivation, record.MessageConfirmation, record.MessagePasswordReset, record.MessagePasswordChanged,
	record.MessageUsernameReset, record.MessageUsernameChanged, record.MessageEmailChange, record.MessageEmailChanged,
	record.MessageNewSignIn, record.MessageDeletion,
	record.MessageFactorAdded, record.MessageFactorRemoved, record.MessageFactorsReset, record.MessageRecoveryUsed, record.MessageWrongCodes, record.MessageImpersonated,
}

// templates holds every message of every language.
type templates struct {
	messages map[string]map[record.MessageKind]messageTemplate // by language
	language string                                            // for messages without one
}

type messageTemplate struct {
	subject, text *text.Template
	html          *html.Template // nil: text alone
}

// loadTemplates reads the built-in templates and those of override, which replace
// them one by one.
func loadTemplates(override fs.FS, language string) (*templates, error) {
	builtIn, err := fs.Sub(embedded, "templates")
	if err != nil {
		return nil, err
	}
	places := []fs.FS{builtIn}
	if override != nil {
		places = []fs.FS{override, builtIn}
	}
	languages, err := listLanguages(places)
	if err != nil {
		return nil, fmt.Errorf("Settings.Templates: %w", err)
	}
	t := &templates{map[string]map[record.MessageKind]messageTemplate{}, language}
	for _, language := range languages {
		if t.messages[language], err = loadLanguage(places, language); err != nil {
			return nil, fmt.Errorf("Settings.Templates: %w", err)
		}
	}
	if t.pick(language) == nil {
		return nil, fmt.Errorf("Settings.Language: there are no templates for %q", language)
	}
	return t, nil
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8}){0,3}$`)

// listLanguages lists the folders of all places.
func listLanguages(places []fs.FS) (languages []string, err error) {
	for _, place := range places {
		entries, err := fs.ReadDir(place, ".")
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
	}
	slices.Sort(languages)
	return slices.Compact(languages), nil
}

// loadLanguage reads one folder.
func loadLanguage(places []fs.FS, language string) (map[record.MessageKind]messageTemplate, error) {
	layout, err := findLayout(places, language)
	if err != nil {
		return nil, err
	}
	messages := map[record.MessageKind]messageTemplate{}
	for _, kind := range kinds {
		name := language + "/" + string(kind)
		body, page, err := findMessage(places, name)
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

// findMessage reads text and HTML (empty without one) from the first place that has
// the text. Both are from the same place, because versions of different authors
// could differ. The error is fs.ErrNotExist if no place has the text.
func findMessage(places []fs.FS, name string) (body, page string, err error) {
	for _, place := range places {
		body, err = readTemplate(place, name+".txt")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", "", err
		}
		page, err = readTemplate(place, name+".html")
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return body, page, err
	}
	return "", "", err
}

// findLayout reads layout.html of the language, or of the fallback language.
func findLayout(places []fs.FS, language string) (layout string, err error) {
	for _, folder := range []string{language, fallbackLanguage} {
		for _, place := range places {
			layout, err = readTemplate(place, folder+"/layout.html")
			if !errors.Is(err, fs.ErrNotExist) {
				return layout, err
			}
		}
	}
	return "", err
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
	if l.html, err = html.New("layout").Parse(layout); err != nil {
		return l, err
	}
	_, err = l.html.New("content").Parse(page)
	return l, err
}

// know reports whether there are templates for the kind.
func (t *templates) know(kind record.MessageKind) bool { return slices.Contains(kinds, kind) }

// pick returns the templates of a language or, for a tag such as pt-br, of its base
// language pt; nil if there are none.
func (t *templates) pick(language string) map[record.MessageKind]messageTemplate {
	language = strings.ReplaceAll(strings.ToLower(language[:min(len(language), 64)]), "_", "-")
	if messages, ok := t.messages[language]; ok {
		return messages
	}
	base, _, _ := strings.Cut(language, "-")
	return t.messages[base]
}

// render returns a message in the wanted language, the site's, or English. The
// kind must be known.
func (t *templates) render(kind record.MessageKind, language string, d Data) (m Message, err error) {
	message := t.messages[fallbackLanguage][kind]
	for _, wanted := range []string{language, t.language} {
		if found, ok := t.pick(wanted)[kind]; ok {
			message = found
			break
		}
	}
	subject, err := execute(message.subject, d)
	if err != nil {
		return m, err
	}
	m.Subject = strings.TrimSpace(clean(subject, maxDetail))
	if m.Text, err = execute(message.text, d); err != nil || message.html == nil {
		return m, err
	}
	m.HTML, err = execute(message.html, d)
	return m, err
}

// execute runs either kind of template into a bounded buffer.
func execute[T interface {
	Execute(w io.Writer, data any) error
}](t T, d Data) (string, error) {
	var b bounded
	if err := t.Execute(&b, d); err != nil {
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

// tryTemplates renders every message of every language once, so that a mistake in a
// template is an error of New, not of a message.
func (s *Sender) tryTemplates() error {
	for _, language := range slices.Sorted(maps.Keys(s.templates.messages)) {
		for _, kind := range kinds {
			if _, err := s.Preview(kind, language); err != nil {
				return fmt.Errorf("templates of %s/%s: %w", language, kind, err)
			}
		}
	}
	return nil
}
