package main

// The login pages and the administration of serve.

import (
	"io/fs"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/throttle/shared"
)

type siteFlags struct {
	Pages     string        `group:"pages" default:"on" enum:"on,off" placeholder:"on|off" help:"Serve the pages to sign in, sign up and manage an account."`
	PagesPath string        `group:"pages" default:"/account/" placeholder:"PATH" help:"The path below which they are served, after --prefix."`
	SiteName  string        `group:"pages" placeholder:"NAME" help:"The name of the site on the pages. Default: the host of --base-url, or of the request."`
	Logo      string        `group:"pages" placeholder:"FILE" help:"An SVG, PNG or WebP file to show instead of the name. Default: none."`
	Accent    string        `group:"pages" placeholder:"COLOR" help:"The color of buttons and links, such as #0a7d4f. Default: a blue."`
	Theme     string        `group:"pages" placeholder:"DIR" help:"Templates and a theme.css that replace those of the pages (see jotgate theme export). Default: none."`
	Locale    string        `group:"pages" placeholder:"DIR" help:"Catalogs such as de.txt whose messages replace those of the pages, of e-mails and of --translate-errors. Default: none."`
	Home      string        `group:"pages" name:"home-url" placeholder:"URL" help:"The page after signing in, if the link to it named none. Default: the profile page."`
	Deletion  time.Duration `group:"pages" name:"deletion-delay" default:"7d" placeholder:"TIME" help:"How long an account that its owner deletes on the pages is kept, inactive, and can be restored by a link in an e-mail. 0: it is deleted immediately."`
	Next      []string      `group:"pages" name:"next-origins" placeholder:"ORIGIN" help:"Origins that users may be sent back to after signing in, in addition to that of the pages. Default: none."`
}

// options returns the pages.Options.
func (f *siteFlags) options(s api.Settings) pages.Options {
	o := pages.Options{
		Path: f.PagesPath, Site: f.SiteName, BaseURL: s.BaseURL, Logo: f.Logo, Accent: f.Accent, Home: f.Home, Next: f.Next,
		NoSignup: s.NoSignup, SendActivationEmail: s.SendActivationEmail, SendConfirmationEmail: s.SendConfirmationEmail,
		PasswordChangedEmail: s.PasswordChangedEmail, NewSignInEmail: s.NewSignInEmail, DeletionDelay: f.Deletion,
	}
	if f.Deletion == 0 {
		o.DeletionDelay = -1
	}
	if f.Theme != "" {
		o.Theme = os.DirFS(f.Theme)
	}
	o.Locale = f.locale()
	return o
}

// locale returns the catalogs of --locale, or else those of the theme; nil without.
func (f *siteFlags) locale() fs.FS {
	switch {
	case f.Locale != "":
		return os.DirFS(f.Locale)
	case f.Theme != "":
		folder, _ := catalog.InTheme(os.DirFS(f.Theme)) // a folder of a disk has no error
		return folder
	}
	return nil
}

// ownHandler serves what is jotgate's: the API and, unless they are off, the
// pages and the administration.
type ownHandler struct {
	api   *api.API
	keys  *apikey.Keys    // nil: off
	rates *shared.Counter // nil: each node counts its own
	pages *pages.Pages    // nil: off
	path  string          // of the pages
	admin *admin.Admin    // nil: off
	// emails has the previews of the administration. The sender is made after the
	// handler, and before its first request.
	emails struct{ *mail.Sender }
	// adminPath is the path of the administration, empty if it has an address of its
	// own.
	adminPath string
	// welcome says that the pages also serve /.
	welcome bool
}

// pagesPath returns the path of the pages, under --prefix as everything else.
func (f *serveFlags) pagesPath() string { return strings.TrimRight(f.Prefix, "/") + f.PagesPath }

// apiSettings returns the api.Settings.
func (f *serveFlags) apiSettings() api.Settings {
	s := f.requestFlags.settings(&f.mailFlags)
	s.Locale = f.siteFlags.locale()
	return s
}

// newOwnHandler makes the API and the pages, which share rates and delays.
func (f *serveFlags) newOwnHandler(gate *jotgate.Gate) (*ownHandler, error) {
	settings := f.apiSettings()
	f.mailFlags.locale = settings.Locale
	own := &ownHandler{path: f.pagesPath()}
	var err error
	if own.keys, err = f.newAPIKeys(gate); err != nil {
		return nil, inFlags("apikey", err)
	}
	settings.APIKeys, settings.OAuth = own.keys, f.newOAuth(gate)
	own.rates = f.newSharedRates(gate)
	settings.SharedRates = own.rates
	if own.api, err = api.New(gate, settings); err != nil {
		return nil, inFlags("api", err)
	}
	if f.Pages == "off" {
		return own, nil
	}
	f.mailFlags.pages, f.mailFlags.prefix = f.pagesPath(), strings.TrimRight(f.Prefix, "/")
	o := f.siteFlags.options(settings)
	o.API, o.Path = own.api, f.pagesPath()
	o.Welcome = f.BaseURL == "" && f.SiteName == "" && f.Home == "" && f.Upstream == "" && f.Prefix == ""
	if !f.NoSchema {
		o.Docs = strings.TrimSuffix(f.Prefix, "/") + "/api/docs/"
	}
	own.welcome = o.Welcome
	if own.pages, err = pages.New(gate, o); err != nil {
		return nil, inFlags("pages", err)
	}
	return own, f.addAdmin(own, gate)
}

// prefixes returns the paths below which metrics count all pages as one route.
func (h *ownHandler) prefixes() (list []string) {
	for _, path := range []string{h.path, h.adminPath} {
		if strings.HasSuffix(path, "/") {
			list = append(list, path)
		}
	}
	return list
}

// mux returns a mux with every endpoint and every page.
func (h *ownHandler) mux() *http.ServeMux {
	mux := http.NewServeMux()
	h.api.Mount(mux)
	if h.pages != nil {
		h.pages.Mount(mux)
	}
	if h.adminPath != "" {
		h.admin.Mount(mux)
	}
	return mux
}

// ServeHTTP implements http.Handler.
func (h *ownHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.pages != nil && (strings.HasPrefix(r.URL.Path, h.path) || r.URL.Path == "/" && h.welcome) {
		h.pages.ServeHTTP(w, r)
		return
	}
	if h.adminPath != "" && strings.HasPrefix(r.URL.Path, h.adminPath) {
		h.admin.ServeHTTP(w, r)
		return
	}
	h.api.ServeHTTP(w, r)
}
