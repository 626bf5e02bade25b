package pages

// What a template sees.

import (
	"embed"
	"io/fs"
	"slices"

	"github.com/jotgate/jotgate/factor/passkey"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/packed"
)

//go:embed templates/*.html
var embeddedTemplates embed.FS

// packedTemplates reads the embedded templates, packed or not.
var packedTemplates = packed.FS{FS: embeddedTemplates}

//go:embed static/passkey-page.js
var passkeyPage []byte

// view is the data of every template.
type view struct {
	layout.View
	Links links
}

// links says which other pages there are.
type links struct{ Signup, Reset bool }

// menu are the pages of an account, in the order of the menu.
var menu = []layout.MenuItem{
	{Page: "", Title: "profile.title"},
	{Page: "password", Title: "password.title"},
	{Page: "emails", Title: "emails.title"},
	{Page: "security", Title: "security.title"},
	{Page: "sessions", Title: "sessions.title"},
	{Page: "activity", Title: "activity.title"},
	{Page: "data", Title: "data.title"},
}

// newView returns the view of a page in a language.
func (p *Pages) newView(page *route, l *catalog.Catalog) view {
	return view{
		View: layout.View{
			Title: page.title, Page: page.path, Token: page.token, Path: p.options.Path, AccountPath: p.options.Path,
			Menu: menu, Catalog: l, Catalogs: p.catalogs, Files: p.files, Values: map[string]string{},
		},
		Links: links{Signup: !p.options.NoSignup, Reset: true},
	}
}

// loadFiles reads the static files, the accent color and the logo.
func (p *Pages) loadFiles() (err error) {
	if p.files, err = layout.LoadFiles(layout.Look{Logo: p.options.Logo, Accent: p.options.Accent, Theme: p.options.Theme}); err != nil {
		return err
	}
	p.files.Add("passkey", ".js", slices.Concat(packed.Text(passkey.Script), packed.Text(passkeyPage))) // one module
	return nil
}

// Defaults returns the embedded files that a theme can replace, by their name in
// the folder of a theme: the templates, style.css, and catalog/en.txt and those of
// the other languages.
func Defaults() (map[string][]byte, error) {
	all, err := layout.Defaults()
	if err != nil {
		return nil, err
	}
	messages, err := catalog.Files()
	if err != nil {
		return nil, err
	}
	for name, text := range messages {
		all["catalog/"+name] = text
	}
	templates, err := packedTemplates.ReadDir("templates")
	for _, e := range templates {
		if all[e.Name()], err = packedTemplates.ReadFile("templates/" + e.Name()); err != nil {
			return nil, err
		}
	}
	return all, err
}

// templates returns the embedded templates.
func templates() (fs.FS, error) { return fs.Sub(packedTemplates, "templates") }
