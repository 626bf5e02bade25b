package pages

// The pages in front of an application: for package proxy, and for gateways such
// as nginx.

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/record"
)

// SignedIn returns the user of the browser's session, or nil if the browser is not
// signed in. It may renew the cookie, so call it before the response begins. The
// error is jotgate.ErrUnavailable.
func (p *Pages) SignedIn(w http.ResponseWriter, r *http.Request) (*jotgate.User, error) {
	s, err := p.open(w, r)
	if s == nil || err != nil {
		return nil, err
	}
	return s.User, nil
}

// Impersonate signs the browser of a member of staff in as another account, for
// package admin. s is a session of jotgate.Sessions.NewImpersonation, which the
// caller has stored. back is the path to which signing out leads. Errors:
// jotgate.ErrNotAuthenticated if the browser is not signed in,
// jotgate.ErrUnavailable.
func (p *Pages) Impersonate(w http.ResponseWriter, r *http.Request, account *record.Account, s *record.Session, back string) error {
	by, err := p.open(w, r)
	if err != nil || by == nil {
		return cmp.Or(err, error(jotgate.ErrNotAuthenticated))
	}
	p.keep(w, r, p.gate.Sessions().Pages().Impersonation(account, s, by, back))
	return nil
}

// ToLogin redirects a browser to the login page and, after the login, back to the
// URL of the request.
func (p *Pages) ToLogin(w http.ResponseWriter, r *http.Request) {
	layout.Headers(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, layout.Address(p.publicPath(r), "login", p.safeNext(p.shell.PublicPath(r, r.URL.RequestURI()))), http.StatusSeeOther)
}

// ToStepUp redirects a signed-in browser to the page at which its user authenticates
// again and, after that, back to the URL of the request. err is what
// jotgate.Guard.CheckAuth returned for the user.
func (p *Pages) ToStepUp(w http.ResponseWriter, r *http.Request, err *jotgate.Error) {
	address := layout.Address(p.publicPath(r), "again", p.safeNext(p.shell.PublicPath(r, r.URL.RequestURI())))
	if strings.Contains(err.Challenge, `acr_values="`+levelTwo+`"`) {
		address = strings.Replace(address, "?", "?acr="+levelTwo+"&", 1)
	}
	layout.Headers(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// levelTwo is the level of two factors.
const levelTwo = "aal2"

// Refused records in the audit trail that a request of the user's browser was
// rejected, with the reason err. Package proxy calls it.
func (p *Pages) Refused(r *http.Request, user *jotgate.User, err error) {
	client, _ := p.shell.Client(r)
	p.gate.Events().RecordRefusalOf(r.Context(), user, err, client)
}

// CookieNames lists the names of the cookies that the pages set, with and without
// the prefix __Host-.
func (p *Pages) CookieNames() (names []string) {
	for _, name := range []string{sessionCookie, loginCookie, languageCookie} {
		names = append(names, name, "__Host-"+name)
	}
	return names
}

// check is what a gateway asks before it forwards a request of a browser (nginx
// auth_request, Caddy forward_auth): 200 with the identity headers, as
// /auth/check has them, or 401. A request with a token is checked by its token.
// It rejects what a page of another origin sends with the browser's cookie; a
// gateway passes on the headers Origin and Sec-Fetch-Site of the browser. The
// parameters acr and max_age demand what they do there; any other is refused, because
// it may be a misspelled demand.
func check(v *visit) error {
	user := v.User
	if v.p.gate.Header().In(v.r.Header) {
		var err error
		if user, err = v.p.gate.Authenticate(v.r); err != nil {
			return err
		}
	} else if user == nil {
		return jotgate.ErrNotAuthenticated
	} else if web.IsForeign(v.r, v.p.shell.CheckOwnOrigin) {
		return jotgate.ErrForbidden.Because(errors.New("a page of another origin sent the request"))
	}
	if err := v.demanded(user); err != nil {
		return err
	}
	v.done = true
	proxy.IdentifyAll(v.w.Header(), user)
	v.w.WriteHeader(http.StatusOK)
	return nil
}

// demanded returns an error unless the user meets the demands of the query.
func (v *visit) demanded(user *jotgate.User) error {
	query, err := url.ParseQuery(v.r.URL.RawQuery)
	if err != nil {
		return jotgate.ErrForbidden.Because(err)
	}
	var demands []jotgate.Requirement
	for name, values := range query {
		for _, value := range values {
			demand, err := web.Demand(name, value)
			if err != nil {
				return jotgate.ErrForbidden.Because(err)
			}
			demands = append(demands, demand)
		}
	}
	return v.p.gate.CheckAuth(user, demands...)
}

// Path returns Options.Path, or its default.
func (p *Pages) Path() string { return p.options.Path }
