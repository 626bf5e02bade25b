// Package layout is the look that the pages and the admin share: the frame around
// a page, forms, the style sheet, the script, themes, and the security headers.
//
// A page is a template with its own data, which embeds View. A theme of the
// operator replaces templates by name.
package layout

import (
	"net/http"
	"path"
)

// Headers sets the security headers of every page (docs/pages.md explains each).
func Headers(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'none'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "+
		"require-trusted-types-for 'script'; trusted-types 'none'")
	h.Set("Permissions-Policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)")
}

// Defaults returns the embedded templates and static files by their name in a
// theme: base.html, static/style.css.
func Defaults() (map[string][]byte, error) {
	all := map[string][]byte{}
	list, err := templates.ReadDir("templates")
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		if all[e.Name()], err = templates.ReadFile("templates/" + e.Name()); err != nil {
			return nil, err
		}
	}
	files, err := static.ReadDir("static")
	for _, e := range files {
		name := path.Join("static", e.Name())
		if all[name], err = static.ReadFile(name); err != nil {
			return nil, err
		}
	}
	return all, err
}
