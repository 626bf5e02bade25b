package pages

// Templates: base.html surrounds a page; parts.html holds what several pages
// share. A theme replaces files by name.

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed templates/*.html
var embeddedTemplates embed.FS

// shared are the templates that are part of every page.
var shared = []string{"base.html", "parts.html"}

// maxPage bounds a page, in bytes.
const maxPage = 1 << 20

// theme holds the templates by file name.
type theme struct{ pages map[string]*template.Template }

// loadTheme parses the embedded templates and those of override, which replace
// them one by one. An error names file and line.
func loadTheme(override fs.FS) (*theme, error) {
	names, err := templateNames()
	if err != nil {
		return nil, err
	}
	base := template.New("base.html").Option("missingkey=error")
	for _, name := range shared {
		if err := parse(base, override, name); err != nil {
			return nil, err
		}
	}
	t := &theme{map[string]*template.Template{}}
	for _, name := range names {
		if slices.Contains(shared, name) {
			continue
		}
		page, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if err := parse(page, override, name); err != nil {
			return nil, err
		}
		if _, err := page.AddParseTree("main", page.Lookup(name).Tree); err != nil {
			return nil, err
		}
		t.pages[name] = page
	}
	return t, t.known(override, names)
}

// Defaults returns what a theme can replace: the embedded templates, style.css,
// and the catalogs, by the name of their files in a theme.
func Defaults() (map[string][]byte, error) {
	all := map[string][]byte{}
	for _, from := range []struct {
		files  embed.FS
		folder string
	}{{embeddedTemplates, "templates"}, {embeddedFiles, "static"}, {embeddedCatalogs, "catalog"}} {
		entries, err := from.files.ReadDir(from.folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if all[path.Join(strings.TrimPrefix(from.folder, "templates"), e.Name())], err = from.files.ReadFile(from.folder + "/" + e.Name()); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// templateNames lists the embedded templates.
func templateNames() (names []string, err error) {
	entries, err := embeddedTemplates.ReadDir("templates")
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, err
}

// known rejects a template of a theme that no page uses.
func (t *theme) known(override fs.FS, names []string) error {
	if override == nil {
		return nil
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

// parse adds the override's file, or the embedded one, under its name.
func parse(t *template.Template, override fs.FS, name string) error {
	var text []byte
	err := error(fs.ErrNotExist)
	if override != nil {
		text, err = readFile(override, name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		text, err = embeddedTemplates.ReadFile("templates/" + name)
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

// render returns a page. It is complete before anything is sent, so that a
// template that fails does not end in half a page.
func (t *theme) render(name string, v *view) ([]byte, error) {
	page, ok := t.pages[name]
	if !ok {
		return nil, fmt.Errorf("there is no template %s", name)
	}
	var b limited
	if err := page.Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// limited is a buffer that stops a template whose output is too long.
type limited struct{ bytes.Buffer }

func (b *limited) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxPage {
		return 0, fmt.Errorf("a page has more than %d bytes", maxPage)
	}
	return b.Buffer.Write(p)
}
