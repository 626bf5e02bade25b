// Package admin lets staff manage accounts: it does what Django's admin does for
// them, and keeps a history of every change. It offers the same actions as pages,
// which work without scripts, as JSON below api/, and to the command line.
//
// The two calls to make are [New] and Admin.Run:
//
//	a, err := admin.New(gate, admin.Options{Pages: p, API: endpoints})
//	a.Mount(mux)  // at /admin/
//	go a.Run(ctx) // continues actions on many users that were interrupted
//
// Only staff can use it (Account.IsStaff). The zero Options is the safe choice;
// Options.Pages and Options.API make it share the logins and the limits of the
// pages and endpoints that the program already has.
//
// Each action is one entry of the table in actions.go. Pages, JSON and commands all
// run it by Admin.Act, which checks the rights that the actor has in the transaction
// that makes the change. The same transaction writes exactly one event, with the
// actor and the values before and after; if Django's admin uses the database, the
// transaction also adds the change to Django's history.
//
// The permissions are Django's: auth.view_user, auth.change_user, auth.add_user,
// auth.delete_user, and those of groups. The rules are stricter than Django's: an
// administrator cannot change an account that has a right which the administrator
// lacks, and cannot give such a right. So only superusers can change superusers.
// docs/admin.md describes the pages.
package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
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
// default and the safe choice. docs/settings.md is generated from these comments.
type Options struct {
	// Path is the path below which the administration is served, with a slash at both
	// ends. It cannot contain a path of API or Pages, nor be below one. Default:
	// /admin/. Django: the URL of admin.site.urls.
	Path string
	// Site is the name of the site, as pages show it. Default: the host of the
	// request. Django: AdminSite.site_header.
	Site string
	// Logo and Accent have the same meaning as in pages.Options. Default: none.
	// Django: none.
	Logo, Accent string
	// SetPasswords lets administrators choose passwords for other users. Without
	// it, they send an e-mail with which the user chooses one (ASVS 6.4.6). Default:
	// false. Django: always.
	SetPasswords bool
	// Pages are the pages at which administrators log in. Default: those of pages.New
	// with its default options; the program must serve them, for example by
	// pages.Mount. Django: none.
	Pages *pages.Pages
	// API is the *api.API of the same gate, whose rates, hosts, proxies and limits also
	// apply here. Default: none, the administration has the defaults of api.Settings.
	// Django: none.
	API interface{ Shell() *web.Shell }
	// Emails makes previews of the e-mails; a *mail.Sender does. Default: none, there
	// are no previews. Django: none.
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
// option, or says that the gate's store has no method Admin, as *store.Store has. It
// reads Django's name of the user model from the database. Admin is an http.Handler;
// Admin.Mount registers it on another mux.
func New(gate *jotgate.Gate, o Options) (*Admin, error) {
	a, err := NewActions(gate, o)
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{a.makeShell, a.checkPath, a.load} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
	}
	return a, nil
}

// NewActions returns an Admin without pages and JSON, for commands and other
// programs that only call Act, Read and Export.
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
	a.options.Path = cmp.Or(a.options.Path, "/admin/")
	return a.shell.CheckPath(a.options.Path, a.options.Pages.Path())
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

// Mount creates the administration with New and registers it on the mux, below
// Options.Path. Like mux.Handle, it panics if a path is already registered; it also
// panics if New returns an error. It does not call Admin.Run.
func Mount(mux *http.ServeMux, gate *jotgate.Gate, o Options) {
	a, err := New(gate, o)
	if err != nil {
		panic(err.Error())
	}
	a.Mount(mux)
}

// ServeHTTP serves the administration, and responds with 404 to any other path.
func (a *Admin) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux().ServeHTTP(w, r) }

// perm returns Django's name of a permission on users: auth.change_user.
func (a *Admin) perm(verb string) string { return a.app + "." + verb + "_" + a.model }
