// Package pages serves the pages at which people sign in, sign up, reset their
// password and manage their account. They need no build step, no font and no other
// host, and only passkeys need JavaScript.
//
// The two calls to make are [New], or [Mount] if the API has default settings, and
// Pages.SignedIn, which a program's own pages call to find the user of a browser:
//
//	p, err := pages.New(gate, pages.Options{Site: "Example", BaseURL: "https://example.com", API: endpoints})
//	p.Mount(mux)                  // at /account/
//	user, err := p.SignedIn(w, r) // in a handler; if user is nil, call p.ToLogin(w, r)
//
// Give Options.API the endpoints of package api if the program has them, so that
// the two together accept no more attempts than one. The zero value of every other
// option is the safe choice.
//
// A browser gets an encrypted cookie (jotgate.PageSessions) instead of tokens, so
// scripts cannot read it. Every change is a POST, whose response redirects with 303,
// so that Back and Reload repeat nothing; http.CrossOriginProtection rejects
// requests from other origins, so that forms need no hidden tokens. A program's own
// handlers that accept POST with this cookie must use it, too.
//
// All pages are listed in routes.go. Their texts are in internal/catalog, one file
// for each language, their HTML is in templates/, and the frame around it in
// internal/layout; an operator can replace them (Options.Theme, Options.Locale).
// docs/pages.md explains the rest.
package pages

import (
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/resubmit"
	"github.com/jotgate/jotgate/internal/web"
)

// Options holds the options of the pages. The zero value of each is the default and
// the safe choice. docs/settings.md is generated from these comments.
type Options struct {
	// Path is the path below which the pages are served, with a slash at both ends. It
	// cannot contain a path of API, nor be below one.
	// In links it follows the part of the path that a gateway (the path of BaseURL) or
	// http.StripPrefix removes. Default: /account/. Django: none.
	Path string
	// Site is the name of the site, as pages show it. Default: the host of
	// BaseURL, or of the request. Django: django.contrib.sites.
	Site string
	// BaseURL is the public URL of this server, such as https://example.com, or
	// with a path that a gateway removes, as https://example.com/accounts; with
	// API the same as there. If it is https, cookies are Secure. Default: none;
	// cookies are Secure unless a request comes over plain HTTP to another
	// machine. Django: none.
	BaseURL string
	// Logo is the path of an SVG, PNG or WebP file, which is shown instead of the
	// name. It is read once, by New. Default: none. Django: none.
	Logo string
	// Accent is the color of buttons and links, such as #0a7d4f. Its contrast is
	// adjusted for light and dark pages. Default: a blue. Django: none.
	Accent string
	// Theme holds files that replace those of the same name: templates such as
	// login.html, and theme.css, which is loaded last. Default: none.
	// Django: TEMPLATES DIRS.
	Theme fs.FS
	// Locale holds catalogs such as de.txt, whose messages replace or add to the
	// embedded ones. Default: the folder catalog of Theme, if there is one.
	// Django: LOCALE_PATHS.
	Locale fs.FS
	// Home is the path or URL to which a user is sent after signing in if the login
	// page was opened without the parameter `next`. Default: the profile page.
	// Django: LOGIN_REDIRECT_URL.
	Home string
	// Next lists the origins, such as https://app.example.com, to which `next` may
	// lead in addition to the origin of the pages. Default: none.
	// Django: url_has_allowed_host_and_scheme's allowed_hosts.
	Next []string
	// Welcome serves a page at / that says what a new server can do and what to
	// configure next. Default: false. Django: the page of runserver.
	Welcome bool
	// Docs is the path of the API's documentation, such as /api/docs/, to which that
	// page links. Default: none. Django: none.
	Docs string
	// NoSignup closes the sign-up. Default: false. Django: allauth
	// ACCOUNT_ADAPTER is_open_for_signup.
	NoSignup bool
	// DeletionDelay is how long an account stays in the database, inactive, after its
	// owner has deleted it here. In that time a link in an e-mail restores it. Whole
	// days; negative: it is deleted immediately. Default: 7 days. Django: none.
	DeletionDelay time.Duration
	// SendActivationEmail makes new accounts inactive until the link in an e-mail
	// is followed. Default: false. Django: djoser SEND_ACTIVATION_EMAIL.
	SendActivationEmail bool
	// SendConfirmationEmail, PasswordChangedEmail and NewSignInEmail send the
	// notices that api.Settings describes. Default: false. Django: djoser.
	SendConfirmationEmail, PasswordChangedEmail, NewSignInEmail bool
	// API is the *api.API of the same gate, whose rates, delays after failed logins,
	// hosts, proxies and limits also apply to the pages. Default: none, the pages have
	// the defaults of api.Settings and count separately. Django: none.
	API interface{ Shell() *web.Shell }
}

// Pages serves the pages of one gate. Create it with New. It is safe for
// concurrent use.
type Pages struct {
	gate     *jotgate.Gate
	options  Options
	shell    *web.Shell
	catalogs *catalog.Catalogs
	theme    *layout.Theme
	forms    *resubmit.Forms
	files    *layout.Files
	nexts    []string              // origins that next may lead to
	mux      func() *http.ServeMux // made for the first request
}

// defaultRates are those of api.Settings.
var defaultRates = map[string]string{"login": "60/min", "register": "20/hour", "email": "20/hour", "links": "60/hour"}

// New returns the pages of a gate, or an error that names the invalid option, or
// the file and line of an invalid template. Pages is an http.Handler; Pages.Mount
// registers the pages on another mux.
func New(gate *jotgate.Gate, o Options) (*Pages, error) {
	p := &Pages{gate: gate, options: o, forms: resubmit.New(gate.Settings().Now)}
	p.mux = sync.OnceValue(func() *http.ServeMux {
		mux := http.NewServeMux()
		p.Mount(mux)
		return mux
	})
	for _, step := range []func() error{p.checkOptions, p.makeShell, p.checkPath, p.load} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("pages: %w", err)
		}
	}
	return p, nil
}

func (p *Pages) makeShell() (err error) {
	if p.options.API != nil {
		p.shell = p.options.API.Shell()
		return nil
	}
	p.shell, err = web.New(p.gate, web.Settings{Rates: defaultRates, BaseURL: p.options.BaseURL})
	return err
}

func (p *Pages) checkPath() error { return p.shell.CheckPath(p.options.Path, "") }

// embeddedTheme has the embedded templates, which are parsed once.
var embeddedTheme = sync.OnceValues(func() (*layout.Theme, error) {
	own, err := templates()
	if err != nil {
		return nil, err
	}
	return layout.LoadTheme(own, nil)
})

// load reads the catalogs, the templates and the static files. With a theme it
// renders every page once, so that a template that fails stops the start.
func (p *Pages) load() (err error) {
	locale := p.options.Locale
	if locale == nil && p.options.Theme != nil {
		if locale, err = catalog.InTheme(p.options.Theme); err != nil {
			return err
		}
	}
	if p.catalogs, err = catalog.Load(locale); err != nil {
		//lint:ignore ST1005 Locale is the name of the setting
		return fmt.Errorf("Locale: %w", err)
	}
	if err := p.loadFiles(); err != nil {
		return err
	}
	if p.options.Theme == nil {
		p.theme, err = embeddedTheme()
		return err // a test renders every page
	}
	own, err := templates()
	if err != nil {
		return err
	}
	if p.theme, err = layout.LoadTheme(own, p.options.Theme); err != nil {
		//lint:ignore ST1005 Theme is the name of the setting
		return fmt.Errorf("Theme: %w", err)
	}
	return p.check(p.catalogs.List[:1])
}

// Mount creates the pages with New and registers them on the mux, below
// Options.Path. Like mux.Handle, it panics if a path is already registered; it also
// panics if an option is invalid, which New returns as an error.
func Mount(mux *http.ServeMux, gate *jotgate.Gate, o Options) {
	p, err := New(gate, o)
	if err != nil {
		panic(err.Error())
	}
	p.Mount(mux)
}

// Mount registers every page on the mux, below Options.Path. It panics if a path is
// already registered.
func (p *Pages) Mount(mux *http.ServeMux) {
	for i := range routes {
		mux.Handle(p.path(routes[i].path), p.handler(&routes[i]))
	}
	if p.options.Welcome {
		mux.Handle("/{$}", p.handler(welcomeRoute))
	}
	mux.Handle(p.options.Path+"static/{file}", p.shell.Wrap(web.Endpoint{Allow: "GET, HEAD", Headers: layout.Headers}, http.HandlerFunc(p.static)))
	mux.Handle(p.options.Path, p.shell.Wrap(p.endpoint(&route{}), http.HandlerFunc(p.notFound)))
}

// path returns the pattern of a route.
func (p *Pages) path(path string) string {
	if path == "" {
		return p.options.Path + "{$}"
	}
	return p.options.Path + path
}

// static serves a static file.
func (p *Pages) static(w http.ResponseWriter, r *http.Request) {
	if !p.files.Serve(w, r) {
		p.notFound(w, r)
	}
}

// ServeHTTP serves the pages, and responds with 404 to any other path.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux().ServeHTTP(w, r) }
