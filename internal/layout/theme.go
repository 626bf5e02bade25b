package layout

// Templates: base.html surrounds a page; parts.html holds what several pages
// share. A theme replaces files by name.

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/jotgate/jotgate/internal/packed"
)

//go:embed templates/*.html
var embeddedTemplates embed.FS

// templates reads the embedded templates, packed or not.
var templates = packed.FS{FS: embeddedTemplates}

// shared are the templates that are part of every page.
var shared = []string{"base.html", "parts.html"}

// maxPage bounds a page, in bytes.
const maxPage = 1 << 20

// A Theme holds the templates of pages by file name. It is safe for concurrent
// use.
type Theme struct {
	pages map[string]func() (*template.Template, error)
}

// LoadTheme parses base.html and parts.html and the templates of own. Those of
// override, which may be nil, replace them one by one. An error names file and
// line. Without override a page is parsed when it is rendered first, because a
// server needs few of them soon after its start.
func LoadTheme(own, override fs.FS) (*Theme, error) {
	common, err := fs.Sub(templates, "templates")
	if err != nil {
		return nil, err
	}
	base := sync.OnceValues(func() (*template.Template, error) { return parseShared(common, override) })
	names, err := fs.Glob(own, "*.html")
	if err != nil {
		return nil, err
	}
	t := &Theme{map[string]func() (*template.Template, error){}}
	for _, name := range names {
		t.pages[name] = sync.OnceValues(func() (*template.Template, error) { return parsePage(base, own, override, name) })
		if override == nil {
			continue
		}
		if _, err := t.pages[name](); err != nil {
			return nil, err
		}
	}
	return t, known(override, append(names, shared...))
}

// parseShared parses what surrounds every page.
func parseShared(common, override fs.FS) (*template.Template, error) {
	base := template.New("base.html").Option("missingkey=error")
	for _, name := range shared {
		if err := parse(base, common, override, name); err != nil {
			return nil, err
		}
	}
	return base, nil
}

// parsePage parses a page and returns it with its surroundings.
func parsePage(surroundings func() (*template.Template, error), own, override fs.FS, name string) (*template.Template, error) {
	base, err := surroundings()
	if err != nil {
		return nil, err
	}
	page, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if err := parse(page, own, override, name); err != nil {
		return nil, err
	}
	_, err = page.AddParseTree("main", page.Lookup(name).Tree)
	return page, err
}

// known rejects a theme that cannot be read, and a template of it that no page uses.
func known(override fs.FS, names []string) error {
	if override == nil {
		return nil
	}
	if _, err := fs.ReadDir(override, "."); err != nil {
		return err
	}
	found, err := fs.Glob(override, "*.html")
	if err != nil {
		return err
	}
	for _, name := range found {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s: there is no page of this name", name)
		}
	}
	return nil
}

// parse adds the override's file, or the one of own, under its name.
func parse(t *template.Template, own, override fs.FS, name string) error {
	var text []byte
	err := error(fs.ErrNotExist)
	if override != nil {
		text, err = readFile(override, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		text, err = fs.ReadFile(own, name)
	}
	if err != nil {
		return err
	}
	if name == t.Name() {
		_, err = t.Parse(string(text))
	} else {
		_, err = t.New(name).Parse(string(text))
	}
	return err
}

// Render returns a page with the data of its template, which embeds View. It is
// complete before anything is sent, so that a template that fails does not end in
// half a page.
func (t *Theme) Render(name string, data any) ([]byte, error) {
	parsed, ok := t.pages[name]
	if !ok {
		return nil, fmt.Errorf("there is no template %s", name)
	}
	page, err := parsed()
	if err != nil {
		return nil, err
	}
	var b limited
	if err := page.Execute(&b, data); err != nil {
		return nil, err
	}
	return printable(b.Bytes()), nil
}

// printable removes the control characters that HTML does not allow (section 13.2.3.5), and CR,
// which a page would otherwise repeat from what a user has typed.
func printable(page []byte) []byte {
	control := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune("\t\n", r) }
	if utf8.Valid(page) && !bytes.ContainsFunc(page, control) {
		return page
	}
	return bytes.Map(func(r rune) rune {
		if control(r) {
			return -1
		}
		return r
	}, page)
}

// limited is a buffer that stops a template whose output is too long.
type limited struct{ bytes.Buffer }

func (b *limited) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPage {
		return 0, fmt.Errorf("a page has more than %d bytes", maxPage)
	}
	return b.Buffer.Write(p)
}
