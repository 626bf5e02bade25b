package pages

// The pages in front of an application: for package proxy, and for gateways such
// as nginx.

import (
	"cmp"
	"net/http"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/layout"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/record"
)

// SignedIn returns the user of the browser's session, or nil. It sends a renewed
// cookie. The error is jotgate.ErrUnavailable.
func (p *Pages) SignedIn(w http.ResponseWriter, r *http.Request) (*jotgate.User, error) {
	s, err := p.open(w, r)
	if s == nil || err != nil {
		return nil, err
	}
	return s.User, nil
}

// Impersonate signs the browser of a member of staff in for an account, in a session of
// jotgate.Sessions.NewImpersonation that is stored. back is the path to which signing
// out leads.
func (p *Pages) Impersonate(w http.ResponseWriter, r *http.Request, account *record.Account, s *record.Session, back string) error {
	by, err := p.open(w, r)
	if err != nil || by == nil {
		return cmp.Or(err, error(jotgate.ErrNotAuthenticated))
	}
	p.keep(w, r, p.gate.Sessions().Pages().Impersonation(account, s, by, back))
	return nil
}

// ToLogin sends a browser to the login page and, after that, back.
func (p *Pages) ToLogin(w http.ResponseWriter, r *http.Request) {
	layout.Headers(w.Header())
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, layout.Address(p.publicPath(r), "login", p.safeNext(p.shell.PublicPath(r, r.URL.RequestURI()))), http.StatusSeeOther)
}

// Refused records in the audit trail that package proxy rejected a request of the
// user's browser.
func (p *Pages) Refused(r *http.Request, user *jotgate.User, err error) {
	client, _ := p.shell.Client(r)
	client.Actor = user.Actor
	id := user.ID
	if p.gate.Settings().UserIDField != "id" {
		id = "" // it is the username
	}
	p.gate.Events().RecordRefusal(r.Context(), err, id, client)
}

// CookieNames lists the cookies of the pages.
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
// gateway passes on the headers Origin and Sec-Fetch-Site of the browser.
func check(v *visit) error {
	user := v.User
	if v.p.gate.Header().In(v.r.Header) {
		var err error
		if user, err = v.p.gate.Authenticate(v.r); err != nil {
			return err
		}
	} else if user == nil {
		return jotgate.ErrNotAuthenticated
	} else if foreign(v.r) {
		return jotgate.ErrForbidden
	}
	v.done = true
	proxy.IdentifyAll(v.w.Header(), user)
	v.w.WriteHeader(http.StatusOK)
	return nil
}

// foreign reports whether a page of another origin sent the request, other than
// by a link. The method is not known here: a gateway asks by GET. Browsers send
// Origin with every request that is not a GET or HEAD.
func foreign(r *http.Request) bool {
	unsafe := r.Clone(r.Context())
	unsafe.Method = http.MethodPost
	if r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		return false
	}
	return http.NewCrossOriginProtection().Check(unsafe) != nil
}

// Path returns the path below which the pages are.
func (p *Pages) Path() string { return p.options.Path }
