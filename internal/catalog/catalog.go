// Package catalog holds the messages that jotgate shows to people, in several
// languages, with one id for each message. The pages and the administration use it.
package catalog

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
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

//go:embed messages/*.txt
var embedded embed.FS

// maxCatalog bounds a catalog file, in bytes.
const maxCatalog = 256 << 10

// A Catalog holds the messages of a language. A file has a line `id = text` for
// each message; `id[one] = text` is a plural form, named as in CLDR, for the
// number in the first value. {0}, {1}, … are replaced by values. # begins a comment.
type Catalog struct {
	Code string // BCP 47, such as pt-BR
	Name string // in the language itself
	Dir  string // ltr or rtl

	tag      language.Tag
	messages map[string]string
	fallback *Catalog // nil in English
	errorID  map[string]string
}

// Catalogs are all languages, English first. They are safe for concurrent use.
type Catalogs struct {
	List    []*Catalog
	matcher language.Matcher
}

var messageLine = regexp.MustCompile(`^([a-z0-9_.-]+(?:\[(?:zero|one|two|few|many|other)\])?) = (.+)$`)

// Load reads the embedded catalogs and then those of the given folders, which may
// be nil: files such as de.txt whose messages replace or add to the ones before.
func Load(folders ...fs.FS) (*Catalogs, error) { return load("*.txt", folders) }

// Embedded returns the embedded catalogs alone. They are read once.
var Embedded = sync.OnceValues(func() (*Catalogs, error) { return Load() })

// LoadEnglish is Load for the catalogs in English alone.
func LoadEnglish(folders ...fs.FS) (*Catalogs, error) { return load("en.txt", folders) }

func load(pattern string, folders []fs.FS) (*Catalogs, error) {
	own, err := fs.Sub(embedded, "messages")
	if err != nil {
		return nil, err
	}
	c := &Catalogs{}
	for _, folder := range append([]fs.FS{own}, folders...) {
		if folder == nil {
			continue
		}
		names, err := fs.Glob(folder, pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if err := c.read(folder, name); err != nil {
				return nil, err
			}
		}
	}
	return c, c.finish()
}

// Files returns the embedded catalogs by the name of their file.
func Files() (map[string][]byte, error) {
	entries, err := embedded.ReadDir("messages")
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = embedded.ReadFile("messages/" + e.Name()); err != nil {
			return nil, err
		}
	}
	return files, err
}

// read adds the messages of one file.
func (c *Catalogs) read(folder fs.FS, name string) error {
	code := strings.TrimSuffix(path.Base(name), ".txt")
	tag, err := language.Parse(code)
	if err != nil {
		return fmt.Errorf("%s: %q is not a language tag such as pt-BR", name, code)
	}
	i := slices.IndexFunc(c.List, func(known *Catalog) bool { return known.Code == code })
	if i < 0 {
		i = len(c.List)
		c.List = append(c.List, &Catalog{tag: tag, Code: code, messages: map[string]string{}})
	}
	text, err := fs.ReadFile(folder, name)
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
		c.List[i].messages[m[1]] = m[2]
	}
	return lines.Err()
}

// finish puts English first, sets the fallbacks and prepares the choice.
func (c *Catalogs) finish() error {
	slices.SortStableFunc(c.List, func(a, b *Catalog) int { return strings.Compare(a.order(), b.order()) })
	tags := make([]language.Tag, len(c.List))
	for i, l := range c.List {
		tags[i] = l.tag
		if l.Name, l.Dir = l.messages["language"], l.messages["direction"]; l.Name == "" || l.Dir != "ltr" && l.Dir != "rtl" {
			return fmt.Errorf("%s.txt: needs the messages language and direction (ltr or rtl)", l.Code)
		}
		if i > 0 {
			l.fallback = c.List[0]
		}
		l.errorID = map[string]string{}
		for id, text := range c.List[0].messages {
			if strings.HasPrefix(id, "error.") {
				l.errorID[text] = id
			}
		}
	}
	c.matcher = language.NewMatcher(tags)
	return nil
}

func (l *Catalog) order() string {
	if l.Code == "en" {
		return ""
	}
	return l.Code
}

// Named returns the catalog with this code, or nil.
func (c *Catalogs) Named(code string) *Catalog {
	for _, l := range c.List {
		if l.Code == code {
			return l
		}
	}
	return nil
}

// Accept returns the best catalog for an Accept-Language header.
func (c *Catalogs) Accept(header string) *Catalog {
	if header == "" || len(header) > 256 {
		return c.List[0]
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) > 20 {
		return c.List[0]
	}
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return c.List[0]
	}
	return c.List[i]
}

// Text returns a message with its values. If the first value is an int, it
// chooses the plural form. An unknown id is returned as it is; a test ensures
// that every id is known.
func (l *Catalog) Text(id string, values ...any) string {
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

func (l *Catalog) find(id string, values []any) (string, error) {
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

// ErrorText translates the text of an error that package jotgate chose. A text
// that the catalog does not have is returned in English.
func (l *Catalog) ErrorText(text string) string {
	if id, ok := l.errorID[text]; ok {
		return l.Text(id)
	}
	return text
}
