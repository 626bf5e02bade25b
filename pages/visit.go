package pages

// One request: who sent it, in which language, and the response.

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/form"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/record"
	"github.com/jotgate/jotgate/throttle"
)

// visit is a request for a page.
type visit struct {
	view
	p       *Pages
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	route   *route
	client  jotgate.Client
	network string
	session *jotgate.PageSession // nil if the browser is not signed in
	done    bool                 // a response was sent
	limited error                // too many requests: the form is only shown again
	refusal bool                 // the audit trail has the refusal of this request
	forget  string               // the id of a passkey that the server does not know
}

// errInvalid says that v.Errors lists what is wrong with the form.
var errInvalid = errors.New("the form is invalid")

// serve handles every request for a page.
func (p *Pages) serve(w http.ResponseWriter, r *http.Request, page *route) {
	v := p.visit(w, r, page)
	err := v.handle()
	if err != nil {
		v.refused(err)
	}
	switch {
	case err == nil || v.done:
	case page.json:
		p.shell.Fail(w, r, err, nil)
	default:
		p.shell.Fail(w, r, err, p.renderError)
	}
}

// visit returns the request's visit, without its session.
func (p *Pages) visit(w http.ResponseWriter, r *http.Request, page *route) *visit {
	v := &visit{p: p, w: w, r: r, ctx: r.Context(), route: page}
	v.client, v.network = p.shell.Client(r)
	query := queryOf(r)
	next := p.safeNext(query.Get("next"))
	if next == "" {
		query.Del("next")
	}
	v.view = p.newView(page, p.language(w, r))
	v.ctx = p.gate.Accounts().WithLanguage(v.ctx, v.Catalog.Code) // of e-mails
	v.Path = p.publicPath(r)
	v.AccountPath = v.Path
	v.Site, v.Next, v.Query, v.Now = p.site(r), next, languageQuery(query), p.gate.Settings().Now()
	if page.token {
		w.Header().Set("Referrer-Policy", "no-referrer")
	}
	return v
}

// queryOf returns the query of a request. Gateways such as nginx cannot escape the
// URL that they append as next=/…, so all that follows belongs to it; pages write
// next=%2F….
func queryOf(r *http.Request) url.Values {
	before, next, ok := strings.Cut("&"+r.URL.RawQuery, "&next=/")
	if !ok {
		return r.URL.Query()
	}
	query, _ := url.ParseQuery(strings.TrimPrefix(before, "&")) // without what cannot be parsed, as URL.Query
	query.Set("next", "/"+next)
	return query
}

// languageQuery returns the query of the page, without lang, before another
// parameter.
func languageQuery(query url.Values) string {
	query.Del("lang")
	if text := query.Encode(); text != "" {
		return text + "&"
	}
	return ""
}

func (p *Pages) site(r *http.Request) string {
	if p.options.Site != "" {
		return p.options.Site
	}
	if u, err := url.Parse(p.options.BaseURL); err == nil && u.Host != "" {
		return u.Hostname()
	}
	if u, err := url.Parse("//" + r.Host); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return r.Host
}

// handle runs the page.
func (v *visit) handle() error {
	if v.route.check != nil {
		if err := v.openSession(); err != nil {
			return err
		}
		return v.route.check(v)
	}
	reading := v.r.Method == http.MethodGet || v.r.Method == http.MethodHead
	switch {
	case reading && v.route.form != "":
		return v.redirect(v.Path + v.route.form)
	case reading && v.route.template == "", !reading && (v.r.Method != http.MethodPost || v.route.act == nil):
		return &jotgate.Error{Status: http.StatusMethodNotAllowed, Detail: `Method "` + v.r.Method + `" not allowed.`}
	case !reading && !v.route.external:
		if err := v.p.shell.CheckOwnOrigin(v.r); err != nil {
			return jotgate.ErrForbidden.Because(err)
		}
	}
	if !reading && v.route.scope != "" {
		v.limited = v.p.shell.Limit(v.network, v.route.scope)
	}
	v.received()
	if reading || v.route.external || v.route.json || v.route.repeat {
		return v.enter(reading)
	}
	return v.once(func() error { return v.enter(false) })
}

// enter opens the session and, if the page is for this user, shows the page or does
// what its form asks for.
func (v *visit) enter(reading bool) error {
	if err := v.openSession(); err != nil {
		return err
	}
	if !reading && v.client.Actor != "" && !v.route.acting {
		return v.User.CheckSelf()
	}
	if v.route.access == member && v.session == nil {
		return v.toLogin(reading)
	}
	if v.route.access == guest && v.session != nil {
		return v.goHome()
	}
	if v.route.protect && v.client.Actor == "" {
		if ok, err := v.protected(); !ok {
			return err
		}
	}
	if !reading {
		return v.act()
	}
	if v.route.token { // showing the page checks the token
		if err := v.p.shell.Limit(v.network, v.route.scope); err != nil {
			return err
		}
	}
	return v.show(http.StatusOK)
}

// refused records in the audit trail that the request was refused with err, if
// that is one of its events. Only the first refusal of a request counts. Every
// error of the gate must come here, whether the page shows it, a redirect hides
// it, or it is the response.
func (v *visit) refused(err error) {
	if v.refusal || !errors.As(err, new(*jotgate.Error)) {
		return
	}
	v.refusal = true
	var user record.UserID
	if v.session != nil {
		user = v.session.Owner
	}
	v.p.gate.Events().RecordRefusal(v.ctx, err, user, v.client)
}

// toLogin sends the browser to the login and, after that, back to this page.
func (v *visit) toLogin(back bool) error {
	next := v.Path + cmp.Or(v.route.form, v.route.path)
	switch {
	case v.route.template == "" && v.route.form == "":
		return jotgate.ErrNotAuthenticated
	case v.route.path == "again" && v.Next != "": // a login is recent
		next = v.Next
	case back:
		next = v.p.shell.PublicPath(v.r, v.r.URL.RequestURI())
	}
	return v.redirect(v.address("login", v.p.safeNext(next)))
}

// show responds with the page.
func (v *visit) show(status int) error {
	if v.route.show != nil {
		if err := v.route.show(v); err != nil || v.done {
			return err
		}
	}
	if v.Notice == "" {
		v.Notice = notices[v.r.URL.Query().Get("done")]
	}
	return v.render(status)
}

// notices are the messages about what was done, by the parameter done of the
// redirect after it.
var notices = map[string]string{
	"saved": "notice.saved", "password": "notice.password", "email": "notice.email", "ended": "notice.ended", "others": "notice.others",
	"reset": "notice.reset", "activated": "notice.activated", "signedout": "notice.signedout", "deleted": "notice.deleted", "closed": "notice.closed", "restored": "notice.restored", "expired": "notice.expired", "passkey": "notice.passkey",
	"connect": "notice.connect", "connected": "notice.connected", "second": "notice.second",
}

// act reads the form and does what it asks for. An error that the user can
// correct shows the form again.
func (v *visit) act() error {
	if v.limited != nil {
		return v.again(v.limited)
	}
	err := v.route.act(v)
	if err != nil && !v.done {
		return v.again(err)
	}
	return err
}

// again shows the form with what is wrong, or returns an error that is not the
// user's.
func (v *visit) again(err error) error {
	var e *jotgate.Error
	v.refused(err)
	if !errors.Is(err, errInvalid) {
		if !errors.As(err, &e) || e.Status >= http.StatusInternalServerError && e.RetryAfter == 0 || v.route.template == "" {
			return err
		}
		v.explain(e)
	}
	status := http.StatusUnprocessableEntity
	if len(v.Errors) == 0 { // what the form changes is no longer as the form shows it
		_ = v.wrong("", v.T("problem.refused"))
		if e.Status == http.StatusForbidden {
			status = e.Status
		}
	}
	if e != nil && (e.Status == http.StatusTooManyRequests || e.Status == http.StatusServiceUnavailable) {
		status = e.Status
		v.w.Header().Set("Retry-After", throttle.RetryAfter(e.RetryAfter))
	}
	return v.show(status)
}

// explain adds the problems of an error of the gate.
func (v *visit) explain(e *jotgate.Error) {
	switch {
	case e.Status == http.StatusTooManyRequests:
		v.wrong("", v.T("problem.slow", int(math.Ceil(e.RetryAfter.Seconds()))))
	case e.Status == http.StatusServiceUnavailable:
		v.wrong("", v.T("problem.busy"))
	}
	if v.weak(e) {
		return
	}
	for _, f := range e.Fields {
		for _, text := range f.Messages {
			v.wrong(f.Field, v.Catalog.ErrorText(text))
		}
	}
	for _, text := range e.List {
		v.wrong("", v.Catalog.ErrorText(text))
	}
}

// wrong adds a problem of a field, or of the whole form, and returns errInvalid.
func (v *visit) wrong(field, text string) error {
	v.Errors = append(v.Errors, layout.Problem{Field: field, Text: text})
	return errInvalid
}

// field is a field of a form and the variable that receives it.
type field struct {
	name string
	into *string
	must bool
}

// documents are the fields that hold a long document.
var documents = []string{"credential", "logout_token"}

// read reads the fields of the form. They are stripped of white space and
// bounded as those of the API are.
func (v *visit) read(fields ...field) error {
	body, err := v.p.shell.Body(v.w, v.r)
	if err != nil {
		return err
	}
	var sent bool
	list := make([]form.Field, len(fields))
	for i, f := range fields {
		list[i] = form.Text(f.name, f.into).OrNot(&sent)
		list[i].Blank, list[i].MaxLength = true, 4096
		if slices.Contains(documents, f.name) {
			list[i].MaxLength = 16384
		}
	}
	if err := body.Decode(list...); err != nil {
		return err
	}
	for _, f := range fields {
		if !strings.Contains(f.name, "password") && !slices.Contains([]string{"code", "pending"}, f.name) && !slices.Contains(documents, f.name) {
			v.Values[f.name] = *f.into
		}
		if f.must {
			err = errors.Join(err, v.required(f.name, *f.into))
		}
	}
	return err
}

// required returns errInvalid if a field is empty.
func (v *visit) required(name, value string) error {
	if value != "" {
		return nil
	}
	return v.wrong(name, v.T("problem.required."+name))
}

// address returns the address of a page, with next if there is one.
func (v *visit) address(page, next string) string { return layout.Address(v.Path, page, next) }

// publicPath returns the path below which browsers reach the pages.
func (p *Pages) publicPath(r *http.Request) string { return p.shell.PublicPath(r, p.options.Path) }

// redirect answers 303: the browser requests the address by GET, whatever it
// sent before.
func (v *visit) redirect(address string) error {
	v.done = true
	v.w.Header().Set("Location", address)
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// to redirects to a page of the account with a notice.
func (v *visit) to(page, notice string) error {
	return v.redirect(v.Path + page + "?done=" + notice)
}

// goHome sends a signed-in user to next, or home.
func (v *visit) goHome() error {
	switch {
	case v.Next != "":
		return v.redirect(v.Next)
	case v.p.options.Home != "":
		return v.redirect(v.p.options.Home)
	}
	return v.redirect(v.Path)
}

// render sends the page.
func (v *visit) render(status int) error {
	page, err := v.p.theme.Render(v.route.template, &v.view)
	if err != nil {
		return err
	}
	v.send(status, page)
	return nil
}

func (v *visit) send(status int, page []byte) {
	v.done = true
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Catalog.Code)
	h.Set("Content-Length", strconv.Itoa(len(page)))
	h.Add("Vary", "Accept-Language, Cookie")
	v.w.WriteHeader(status)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(page)
	}
}
