// Package admin is the administration of accounts: what Django's admin does for
// them, with a history of every change. It serves pages that work without scripts,
// the same as JSON, and what the command line calls:
//
//	a, err := admin.New(gate, admin.Options{})
//	a.Mount(mux)  // at /admin/
//	go a.Run(ctx) // continues actions on many users that were interrupted
//
// Each action is one entry of the table in actions.go, with one implementation for
// all of them. Admin.Act is the only way to run one: it checks the rights of the
// actor as they are in the transaction that makes the change, and the same
// transaction writes exactly one event with the actor and the values before and
// after; if Django's admin uses the database, its history has the change, too.
//
// The permissions are Django's: auth.view_user, auth.change_user, auth.add_user,
// auth.delete_user, and those of groups. They are stricter: an administrator cannot
// change an account with rights that the administrator lacks, nor give a right of
// that kind, so that only superusers change superusers. docs/admin.md describes the pages.
package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin/adminstore"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/mail"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/record"
)

// Options holds the options of the administration. The zero value of each is the
// default. docs/settings.md is generated from these comments.
type Options struct {
	// Path is the path below which the administration is served. Default: /admin/.
	// Django: the URL of admin.site.urls.
	Path string
	// Site is the name of the site, as pages show it. Default: the host of the
	// request. Django: AdminSite.site_header.
	Site string
	// Logo and Accent are those of pages.Options. Default: none. Django: none.
	Logo, Accent string
	// SetPasswords lets administrators choose passwords for other users. Without
	// it, they send an e-mail with which the user chooses one (ASVS 6.4.6). Default:
	// false. Django: always.
	SetPasswords bool
	// Pages are the pages at which administrators log in. Default: those of
	// pages.New with its default options, which must be mounted, too. Django: none.
	Pages *pages.Pages
	// API is the handler of package api, whose rates, hosts, proxies and limits also
	// apply here. Default: none, they have their defaults. Django: none.
	API interface{ Shell() *web.Shell }
	// Emails makes previews of the e-mails: a mail.Sender. Default: none, there are
	// no previews. Django: none.
	Emails interface {
		Previews() (kinds []record.MessageKind, languages []string)
		Preview(kind record.MessageKind, language string) (mail.Message, error)
	}
}

// Admin is the administration of one gate. Create it with New. It is safe for
// concurrent use.
type Admin struct {
	gate     *jotgate.Gate
	store    adminstore.Store
	options  Options
	app      string // Django's names of the user model
	model    string
	shell    *web.Shell
	catalogs *catalog.Catalogs
	theme    *layout.Theme
	files    *layout.Files
	mux      func() *http.ServeMux // made for the first request

	working sync.Mutex // held by the goroutine that runs jobs
	more    chan struct{}
}

// New returns the administration of a gate, or an error that names the invalid
// option, or says that the gate's store has no operations for it. Admin is an
// http.Handler; Mount registers it on another mux.
func New(gate *jotgate.Gate, o Options) (*Admin, error) {
	a, err := NewActions(gate, o)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{a.checkPath, a.makeShell, a.load} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
	}
	return a, nil
}

// NewActions is New without the pages and the JSON, for programs that only call
// Act.
func NewActions(gate *jotgate.Gate, o Options) (*Admin, error) {
	a := &Admin{
		gate: gate, options: o, app: "auth", model: "user", more: make(chan struct{}, 1),
	}
	a.mux = sync.OnceValue(func() *http.ServeMux {
		mux := http.NewServeMux()
		a.Mount(mux)
		return mux
	})
	if gate.Store() == nil { // only the options are checked
		return a, nil
	}
	store, ok := gate.Store().(interface{ Admin() adminstore.Store })
	if !ok {
		return nil, errors.New("admin: the store of this gate has no operations for the administration")
	}
	a.store = store.Admin()
	var err error
	if a.app, a.model, err = a.store.Model(context.Background()); err != nil { // the store has its own timeout
		return nil, fmt.Errorf("admin: %w", err)
	}
	return a, nil
}

func (a *Admin) checkPath() error {
	p := &a.options.Path
	if *p == "" {
		*p = "/admin/"
	}
	if !strings.HasPrefix(*p, "/") || !strings.HasSuffix(*p, "/") || len(*p) < 3 || strings.ContainsAny(*p, "{}?#\\ ") {
		//lint:ignore ST1005 Path is the name of the setting
		return fmt.Errorf("Path: %q must begin and end with /, such as /admin/", *p)
	}
	return nil
}

func (a *Admin) makeShell() (err error) {
	if a.options.Pages == nil {
		if a.options.Pages, err = pages.New(a.gate, pages.Options{API: a.options.API}); err != nil {
			return err
		}
	}
	if a.options.API != nil {
		a.shell = a.options.API.Shell()
		return nil
	}
	a.shell, err = web.New(a.gate, web.Settings{})
	return err
}

// Mount registers the administration of the gate on the mux. Like mux.Handle, it
// panics if a path is already registered; it also panics if an option is invalid,
// which New returns as an error.
func Mount(mux *http.ServeMux, gate *jotgate.Gate, o Options) {
	a, err := New(gate, o)
	if err != nil {
		panic(err.Error())
	}
	a.Mount(mux)
}

// ServeHTTP serves the administration, and 404 for any other path.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux().ServeHTTP(w, r) }

// perm returns Django's name of a permission on users: auth.change_user.
func (a *Admin) perm(verb string) string { return a.app + "." + verb + "_" + a.model }
