package pages

// Catalogs: the messages of the pages, one file for each language.

import (
	"bufio"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed catalog/*.txt
var embeddedCatalogs embed.FS

// maxCatalog bounds a catalog file, in bytes.
const maxCatalog = 256 << 10

// catalog holds the messages of a language. A file has a line `id = text` for
// each message; `id[one] = text` is a plural form, named as in CLDR, for the
// number in the first value. {0}, {1}, … stand for values. # begins a comment.
type catalog struct {
	tag      language.Tag
	code     string // BCP 47, such as pt-BR
	name     string // in the language itself
	dir      string // ltr or rtl
	messages map[string]string
	fallback *catalog // nil in English
	errorID  map[string]string
}

// catalogs are all languages, English first.
type catalogs struct {
	list    []*catalog
	matcher language.Matcher
}

var messageLine = regexp.MustCompile(`^([a-z0-9_.-]+(?:\[(?:zero|one|two|few|many|other)\])?) = (.+)$`)

// loadCatalogs reads the embedded catalogs and then the operator's, which may be
// nil.
func loadCatalogs(locale fs.FS) (*catalogs, error) {
	embedded, err := fs.Sub(embeddedCatalogs, "catalog")
	if err != nil {
		return nil, err
	}
	c := &catalogs{}
	for _, place := range []fs.FS{embedded, locale} {
		if place == nil {
			continue
		}
		names, err := fs.Glob(place, "*.txt")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := c.read(place, name); err != nil {
				return nil, err
			}
		}
	}
	return c, c.finish()
}

// read adds the messages of one file.
func (c *catalogs) read(place fs.FS, name string) error {
	code := strings.TrimSuffix(path.Base(name), ".txt")
	tag, err := language.Parse(code)
	if err != nil {
		return fmt.Errorf("%s: %q is not a language tag such as pt-BR", name, code)
	}
	i := slices.IndexFunc(c.list, func(known *catalog) bool { return known.code == code })
	if i < 0 {
		i = len(c.list)
		c.list = append(c.list, &catalog{tag: tag, code: code, messages: map[string]string{}})
	}
	text, err := fs.ReadFile(place, name)
	if err == nil && len(text) > maxCatalog {
		err = fmt.Errorf("%s has more than %d bytes", name, maxCatalog)
	}
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m := messageLine.FindStringSubmatch(line)
		if m == nil {
			return fmt.Errorf("%s:%d: must be a line such as login.title = Sign in", name, n)
		}
		c.list[i].messages[m[1]] = m[2]
	}
	return lines.Err()
}

// finish puts English first, sets the fallbacks and prepares the choice.
func (c *catalogs) finish() error {
	slices.SortStableFunc(c.list, func(a, b *catalog) int { return strings.Compare(a.order(), b.order()) })
	tags := make([]language.Tag, len(c.list))
	for i, l := range c.list {
		tags[i] = l.tag
		if l.name, l.dir = l.messages["language"], l.messages["direction"]; l.name == "" || l.dir != "ltr" && l.dir != "rtl" {
			return fmt.Errorf("%s.txt: needs the messages language and direction (ltr or rtl)", l.code)
		}
		if i > 0 {
			l.fallback = c.list[0]
		}
		l.errorID = map[string]string{}
		for id, text := range c.list[0].messages {
			if strings.HasPrefix(id, "error.") {
				l.errorID[text] = id
			}
		}
	}
	c.matcher = language.NewMatcher(tags)
	return nil
}

func (l *catalog) order() string {
	if l.code == "en" {
		return ""
	}
	return l.code
}

// named returns the catalog with this code, or nil.
func (c *catalogs) named(code string) *catalog {
	for _, l := range c.list {
		if l.code == code {
			return l
		}
	}
	return nil
}

// accept returns the best catalog for an Accept-Language header.
func (c *catalogs) accept(header string) *catalog {
	if header == "" || len(header) > 256 {
		return c.list[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) > 20 {
		return c.list[0]
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return c.list[0]
	}
	return c.list[i]
}

// text returns a message with its values. If the first value is an int, it
// chooses the plural form. An unknown id is returned as it is; a test ensures
// that every id is known.
func (l *catalog) text(id string, values ...any) string {
	message, err := l.find(id, values)
	if err != nil {
		return id
	}
	if len(values) == 0 {
		return message
	}
	pairs := make([]string, 0, 2*len(values))
	for i, v := range values {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", fmt.Sprint(v))
	}
	return strings.NewReplacer(pairs...).Replace(message)
}

var errNoMessage = errors.New("no such message")

func (l *catalog) find(id string, values []any) (string, error) {
	for ; l != nil; l = l.fallback {
		if message, ok := l.messages[id]; ok {
			return message, nil
		}
		if len(values) == 0 {
			continue
		}
		if n, ok := values[0].(int); ok {
			for _, form := range []string{pluralForm(l.tag, n), "other"} {
				if message, ok := l.messages[id+"["+form+"]"]; ok {
					return message, nil
				}
			}
		}
	}
	return "", errNoMessage
}

// pluralForm returns the name of the plural form of n in the language.
func pluralForm(tag language.Tag, n int) string {
	names := map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many"}
	if form, ok := names[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]; ok {
		return form
	}
	return "other"
}

// errorText translates the text of an error that package jotgate chose. A text
// that the catalog does not have is returned in English.
func (l *catalog) errorText(text string) string {
	if id, ok := l.errorID[text]; ok {
		return l.text(id)
	}
	return text
}
