// Package catalog holds the messages that jotgate shows to people, in several
// languages, with one id for each message: those of the pages, of the e-mails and of
// the API's errors. The administration adds its own.
package catalog

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"

	"github.com/jotgate/jotgate/internal/packed"
)

//go:embed messages/*.txt
var files embed.FS

// embedded reads the files, packed or not.
var embedded = packed.FS{FS: files}

// maxCatalog bounds a catalog file, in bytes.
const maxCatalog = 256 << 10

// A Catalog holds the messages of a language. A file has a line `id = text` for
// each message; `id[one] = text` is a plural form, named as in CLDR, for the
// number in the first value. {0}, {1}, … are replaced by values. # begins a comment.
// The embedded messages are read when the first of them is needed, since most
// servers speak few of the languages. It is safe for concurrent use.
type Catalog struct {
	Code string // BCP 47, such as pt-BR
	Name string // in the language itself
	Dir  string // ltr or rtl

	tag      language.Tag
	fallback *Catalog // nil in English

	read     sync.Once
	builtIn  []builtInFile
	messages map[string]string // until read: only those of folders
}

// builtInFile is an embedded file, perhaps packed.
type builtInFile struct {
	folder packed.FS
	name   string
}

// Catalogs are all languages, English first. They are safe for concurrent use.
type Catalogs struct {
	List    []*Catalog
	matcher language.Matcher
}

// Load returns the embedded catalogs with those of the given folders, which may
// be nil: files such as de.txt whose messages replace or add to the ones before.
// Without a folder it is Embedded.
func Load(folders ...fs.FS) (*Catalogs, error) {
	if !slices.ContainsFunc(folders, func(f fs.FS) bool { return f != nil }) {
		return Embedded()
	}
	return load(folders)
}

// Embedded returns the embedded catalogs alone. They are made once.
var Embedded = sync.OnceValues(func() (*Catalogs, error) { return load(nil) })

// Extend returns the embedded catalogs with the messages of other embedded files,
// FOLDER/de.txt and so on, which are also read when the first of them is needed.
func Extend(own embed.FS, folder string) (*Catalogs, error) {
	c, err := builtIn()
	if err != nil {
		return nil, err
	}
	if err := c.embed(packed.FS{FS: own}, folder+"/*.txt"); err != nil {
		return nil, err
	}
	return c, c.finish()
}

// InTheme returns the folder of a theme that has its catalogs, for Load, or nil: a theme
// need not have one.
func InTheme(theme fs.FS) (fs.FS, error) {
	if _, err := fs.Stat(theme, "catalog"); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return fs.Sub(theme, "catalog")
}

// builtIn returns the embedded catalogs as they are: most are never read.
func builtIn() (*Catalogs, error) {
	c := &Catalogs{}
	return c, c.embed(embedded, "messages/*.txt")
}

func load(folders []fs.FS) (*Catalogs, error) {
	c, err := builtIn()
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		if folder == nil {
			continue
		}
		if _, err := fs.ReadDir(folder, "."); err != nil {
			return nil, err
		}
		if err := each(folder, "*.txt", c.overlay); err != nil {
			return nil, err
		}
	}
	return c, c.finish()
}

// each passes the names and texts of files to add.
func each(folder fs.FS, pattern string, add func(name, text string) error) error {
	names, err := fs.Glob(folder, pattern)
	for _, name := range names {
		text, err := readText(folder, name)
		if err != nil {
			return err
		}
		if err := add(name, text); err != nil {
			return err
		}
	}
	return err
}

// embed adds embedded files.
func (c *Catalogs) embed(folder packed.FS, pattern string) error {
	names, err := fs.Glob(folder, pattern)
	for _, name := range names {
		l, err := c.language(name)
		if err != nil {
			return err
		}
		l.builtIn = append(l.builtIn, builtInFile{folder, name})
		if err := l.readHead(); err != nil {
			return err
		}
	}
	return err
}

// overlay adds the messages of an operator's file.
func (c *Catalogs) overlay(name, text string) error {
	l, err := c.language(name)
	if err != nil {
		return err
	}
	return parse(name, text, l.messages)
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

// language returns the catalog of the language that a file is named after.
func (c *Catalogs) language(name string) (*Catalog, error) {
	code := strings.TrimSuffix(path.Base(name), ".txt")
	if known := c.Named(code); known != nil {
		return known, nil
	}
	tag, err := language.Parse(code)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is not a language tag such as pt-BR", name, code)
	}
	l := &Catalog{tag: tag, Code: code, messages: map[string]string{}}
	c.List = append(c.List, l)
	return l, nil
}

func readText(folder fs.FS, name string) (string, error) {
	text, err := fs.ReadFile(folder, name)
	if err == nil && len(text) > maxCatalog {
		err = fmt.Errorf("%s has more than %d bytes", name, maxCatalog)
	}
	return string(text), err
}

// parse adds the messages of one file.
func parse(name, text string, messages map[string]string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if !parseLine(strings.TrimSpace(line), messages) {
			return fmt.Errorf("%s:%d: must be a line such as login.title = Sign in", name, n)
		}
	}
	return nil
}

func parseLine(line string, messages map[string]string) bool {
	if line == "" || line[0] == '#' {
		return true
	}
	id, message, ok := strings.Cut(line, " = ")
	if ok {
		messages[id] = message
	}
	return ok && message != "" && isID(id)
}

// isID reports whether id names a message, perhaps with one of its plural forms.
func isID(id string) bool {
	id, form, plural := strings.Cut(id, "[")
	if plural && !slices.Contains([]string{"zero]", "one]", "two]", "few]", "many]", "other]"}, form) {
		return false
	}
	return id != "" && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == ""
}

// readHead reads the name and the direction, with which an embedded file begins.
func (l *Catalog) readHead() error {
	if l.Name != "" {
		return nil
	}
	head, err := l.builtIn[0].folder.Head(l.builtIn[0].name)
	for line := range strings.Lines(string(head)) {
		switch id, text, _ := strings.Cut(strings.TrimSpace(line), " = "); id {
		case "language":
			l.Name = text
		case "direction":
			l.Dir = text
			return err
		}
	}
	return err
}

// all returns the messages, those of folders in place of the embedded ones.
func (l *Catalog) all() map[string]string {
	l.read.Do(func() {
		if l.builtIn == nil {
			return
		}
		all := make(map[string]string, 512)
		for _, file := range l.builtIn {
			text, err := file.folder.ReadFile(file.name)
			if err == nil {
				err = parse(file.name, string(text), all)
			}
			if err != nil {
				panic("catalog: " + err.Error()) // unreachable: a test reads every embedded file
			}
		}
		maps.Copy(all, l.messages)
		l.messages = all
	})
	return l.messages
}

// finish puts English first, sets the fallbacks and prepares the choice.
func (c *Catalogs) finish() error {
	slices.SortStableFunc(c.List, func(a, b *Catalog) int { return strings.Compare(a.order(), b.order()) })
	tags := make([]language.Tag, len(c.List))
	for i, l := range c.List {
		tags[i] = l.tag
		l.Name, l.Dir = cmp.Or(l.messages["language"], l.Name), cmp.Or(l.messages["direction"], l.Dir)
		if l.Name == "" || l.Dir != "ltr" && l.Dir != "rtl" {
			return fmt.Errorf("%s.txt: needs the messages language and direction (ltr or rtl)", l.Code)
		}
		if i > 0 {
			l.fallback = c.List[0]
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

// Match returns the best catalog for a language tag such as pt or de_AT; nil if
// there is none.
func (c *Catalogs) Match(code string) *Catalog {
	code = code[:min(len(code), 64)]
	wanted, err := language.Parse(code)
	if err != nil {
		base, _, _ := strings.Cut(code, "-")
		if wanted, err = language.Parse(base); err != nil {
			return nil
		}
	}
	return c.match(wanted)
}

// match returns the best catalog; nil if none fits.
func (c *Catalogs) match(wanted ...language.Tag) *Catalog {
	_, i, confidence := c.matcher.Match(wanted...)
	if confidence == language.No {
		return nil
	}
	return c.List[i]
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
	return cmp.Or(c.match(wanted...), c.List[0])
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
		if message, ok := l.all()[id]; ok {
			return message, nil
		}
		if len(values) == 0 {
			continue
		}
		if n, ok := values[0].(int); ok {
			for _, form := range []string{pluralForm(l.tag, n), "other"} {
				if message, ok := l.all()[id+"["+form+"]"]; ok {
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
