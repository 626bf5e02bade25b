package admin

// The pages. Each form is a POST, and its response a 303; requests from other
// origins are rejected, so that forms need no hidden tokens.

import (
	"bytes"
	"embed"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/packed"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/record"
)

//go:embed templates/*.html
var embeddedTemplates embed.FS

//go:embed static/theme.css
var embeddedStatic embed.FS

//go:embed catalog/*.txt
var embeddedCatalog embed.FS

// embedded has the templates and the messages in every language, each of which is
// read when it is needed first.
var embedded = sync.OnceValues(func() (*content, error) {
	templates, err := fs.Sub(packed.FS{FS: embeddedTemplates}, "templates")
	if err != nil {
		return nil, err
	}
	c := &content{}
	if c.catalogs, err = catalog.Extend(embeddedCatalog, "catalog"); err != nil {
		return nil, err
	}
	c.theme, err = layout.LoadTheme(templates, nil)
	return c, err
})

// content is what pages are made of.
type content struct {
	catalogs *catalog.Catalogs
	theme    *layout.Theme
}

// load reads the templates, the messages and the style sheet.
func (a *Admin) load() error {
	c, err := embedded()
	if err != nil {
		return err
	}
	a.catalogs, a.theme = c.catalogs, c.theme
	static, err := fs.Sub(packed.FS{FS: embeddedStatic}, "static")
	if err != nil {
		return err
	}
	a.files, err = layout.LoadFiles(layout.Look{Logo: a.options.Logo, Accent: a.options.Accent, Theme: static})
	return err
}

// page is a page that shows something. Those of actions are made of the table of
// actions.
type page struct {
	path     string // below Options.Path
	template string
	title    string // id of a message
	show     func(*visit) error
}

// pageList are the pages that show something.
var pageList = []page{
	{"", "", "", func(v *visit) error { return v.redirect(v.start()) }},
	{"users/", "users.html", "admin.users", usersShow},
	{"users/{id}/", "user.html", "admin.user", userShow},
	{"groups/", "groups.html", "admin.groups", listShow("groups")},
	{"groups/{id}/", "group.html", "admin.group", groupShow},
	{"permissions/", "permissions.html", "admin.permissions", listShow("permissions")},
	{"permissions/{id}/", "permission.html", "admin.permission", permissionShow},
	{"sessions/", "sessions.html", "admin.sessions", listShow("sessions")},
	{"keys/", "keys.html", "admin.keys", listShow("keys")},
	{"emails/", "emails.html", "admin.emails", listShow("emails")},
	{"emails/preview/", "preview.html", "admin.preview", previewShow},
	{"invitations/", "invitations.html", "admin.invitations", invitationsShow},
	{"events/", "events.html", "admin.events", listShow("events")},
	{"throttles/", "throttles.html", "admin.throttles", listShow("throttles")},
	{"jobs/", "jobs.html", "admin.jobs", listShow("jobs")},
	{"jobs/{id}/", "job.html", "admin.job", jobShow},
	{"health/", "health.html", "admin.health", listShow("health")},
}

// Mount registers every page and every JSON endpoint on the mux, below Options.Path.
// It panics if a path is already registered.
func (a *Admin) Mount(mux *http.ServeMux) {
	for i := range pageList {
		p := &pageList[i]
		pattern := a.options.Path + p.path
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}"
		}
		mux.Handle(pattern, a.handler("GET, HEAD", p, func(v *visit) error { return v.show(http.StatusOK) }))
	}
	for _, act := range actions {
		mux.Handle(a.options.Path+act.path(), a.handler("GET, HEAD, POST", act.page(), func(v *visit) error { return v.action(act) }))
	}
	mux.Handle(a.options.Path+"emails/preview/html", a.handler("GET, HEAD", &page{path: "emails/"}, previewHTML))
	mux.Handle(a.options.Path+"users/confirm", a.handler("POST", confirmMany, func(v *visit) error { return v.many() }))
	mux.Handle(a.options.Path+"static/{file}", a.shell.Wrap(web.Endpoint{Allow: "GET, HEAD", Headers: layout.Headers}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.files.Serve(w, r) {
			a.renderError(w, r, jotgate.ErrNotFound)
		}
	})))
	mux.Handle(a.options.Path, a.shell.Wrap(web.Endpoint{Headers: layout.Headers, Render: a.renderError}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.renderError(w, r, jotgate.ErrNotFound)
	})))
	a.mountJSON(mux)
}

// visit is a request for a page.
type visit struct {
	layout.View
	a    *Admin
	w    http.ResponseWriter
	r    *http.Request
	page *page
	who  Actor
	in   Fields // of a form that is shown again
	// button is the one that sent a form, if it was not the first one.
	button string
	names  map[record.UserID]string // of users that the page names
	// Conflict has both versions if another administrator has changed the target.
	Conflict *Conflict
	done     bool
}

// handler returns the handler of a page within the HTTP layer.
func (a *Admin) handler(allow string, p *page, do func(*visit) error) http.Handler {
	e := web.Endpoint{Allow: allow, Headers: layout.Headers, Render: a.renderError}
	return a.shell.Wrap(e, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := a.visit(w, r, p)
		if err := v.enter(allow, do); err != nil && !v.done {
			a.shell.Fail(w, r, err, a.renderError)
		}
	}))
}

func (a *Admin) visit(w http.ResponseWriter, r *http.Request, p *page) *visit {
	section, _, _ := strings.Cut(p.path, "/")
	language := a.catalogs.Named(a.options.Pages.Language(w, r))
	if language == nil { // of the operator's catalogs for the pages
		language = a.catalogs.List[0]
	}
	w.Header().Set("Content-Language", language.Code)
	return &visit{a: a, w: w, r: r, page: p, View: layout.View{
		Site: a.site(r), Title: p.title, Page: section + "/", Path: a.options.Path, AccountPath: a.options.Pages.Path(),
		Query: otherQuery(r), Catalog: language, Catalogs: a.catalogs, Files: a.files, Values: map[string]string{}, Now: a.gate.Settings().Now(),
	}}
}

// otherQuery returns the query of a page without its language, before another parameter.
func otherQuery(r *http.Request) string {
	query := r.URL.Query()
	query.Del("lang")
	if text := query.Encode(); text != "" {
		return text + "&"
	}
	return ""
}

func (a *Admin) site(r *http.Request) string {
	if a.options.Site != "" {
		return a.options.Site
	}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return r.Host
}

// enter lets staff in.
func (v *visit) enter(allow string, do func(*visit) error) error {
	if !slices.Contains(strings.Split(allow, ", "), v.r.Method) {
		return &jotgate.Error{Status: http.StatusMethodNotAllowed, Detail: "Method " + strconv.Quote(v.r.Method) + " not allowed."}
	}
	if err := v.a.shell.CheckOwnOrigin(v.r); err != nil {
		return jotgate.ErrForbidden.Because(err)
	}
	user, err := v.a.options.Pages.SignedIn(v.w, v.r)
	switch {
	case err != nil:
		return err
	case user == nil:
		return v.redirect(v.login("login"))
	}
	v.User = user
	client, _ := v.a.shell.Client(v.r)
	if v.who, err = v.a.Staff(v.r.Context(), user, client); err != nil {
		return v.refused(err)
	}
	v.Menu = v.menu()
	return do(v)
}

// refused sends a user that must authenticate again to do that, and returns any
// other error.
func (v *visit) refused(err error) error {
	if e := jotgate.AsError(err); e.Code == "insufficient_user_authentication" {
		return v.redirect(v.login("again"))
	}
	client, _ := v.a.shell.Client(v.r)
	v.a.gate.Events().RecordRefusal(v.r.Context(), err, v.who.id(), client)
	return err
}

// login returns the address of a page to log in at, which leads back here: to the
// page of a form, if the form was sent.
func (v *visit) login(page string) string {
	next := v.r.URL.RequestURI()
	if v.r.Method == http.MethodPost {
		next = v.r.URL.EscapedPath()
		switch folder, name := path.Split(next); name {
		case "export":
			next = v.Path + path.Base(folder) + "/"
		case "confirm", "start":
			next = v.Path + "users/"
		}
	}
	return v.AccountPath + page + "?next=" + url.QueryEscape(next)
}

func (v *visit) redirect(address string) error {
	v.done = true
	v.w.Header().Set("Location", address)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// menu lists the pages that the actor may see.
func (v *visit) menu() (items []layout.MenuItem) {
	for _, p := range pageList {
		if strings.Count(p.path, "/") != 1 { // of a row, or of another page
			continue
		}
		ok := v.a.mayView(&v.who, "user") == nil
		switch p.path {
		case "groups/", "permissions/":
			ok = v.a.mayView(&v.who, "group") == nil
		case "keys/", "health/":
			ok = v.who.super()
		}
		if ok {
			items = append(items, layout.MenuItem{Page: p.path, Title: p.title})
		}
	}
	return items
}

// start returns the address of the first page that the actor may see.
func (v *visit) start() string {
	if len(v.Menu) > 0 {
		return v.Path + v.Menu[0].Page
	}
	return v.AccountPath
}

// show responds with the page.
func (v *visit) show(status int) error {
	if err := v.page.show(v); err != nil || v.done {
		return err
	}
	if done := actionNamed(v.r.URL.Query().Get("done")); v.Notice == "" && len(v.Errors) == 0 && done != nil {
		v.Notice = "done." + done.Name
		if err := v.nameObject(done); err != nil {
			return err
		}
	}
	return v.render(status)
}

// nameObject names what was changed, if the page is not about it anyway.
func (v *visit) nameObject(act *action) (err error) {
	if id := v.r.URL.Query().Get("id"); id != "" && v.Object.Text == "" {
		noun, _, _ := strings.Cut(act.Name, ".")
		v.Object, err = v.object(noun, id)
	}
	return err
}

func (v *visit) render(status int) error {
	body, err := v.a.theme.Render(v.page.template, v)
	if err != nil {
		return err
	}
	v.done = true
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Add("Vary", "Cookie")
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = bytes.NewReader(body).WriteTo(v.w)
	}
	return nil
}

// renderError is the page of an error, with the id of the request.
func (a *Admin) renderError(w http.ResponseWriter, r *http.Request, e *jotgate.Error) {
	v := a.visit(w, r, &page{template: "error.html", title: "problem.title"})
	v.Page, v.Request = "error", w.Header().Get(web.RequestID)
	v.Data = map[bool]string{true: "problem.notfound", false: "admin.refused"}[e.Status == http.StatusNotFound]
	if e.Code == "impersonated" {
		v.Data = "admin.acting"
	}
	if e.Status >= http.StatusInternalServerError {
		v.Data = "problem.busy"
	}
	if err := v.render(e.Status); err != nil {
		e.Respond(w, "")
	}
}
