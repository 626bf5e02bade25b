package pages

// The cookies: of the session, and of the language.

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/catalog"
)

const (
	sessionCookie  = "jotgate"
	languageCookie = "jotgate-lang"
)

// secure reports whether cookies of the response are Secure and have the prefix
// __Host- (RFC 6265bis section 4.1.3.2): always with an https BaseURL, and
// otherwise unless the request came over plain HTTP to another machine.
// Browsers treat this machine as secure without TLS.
func (p *Pages) secure(r *http.Request) bool {
	switch {
	case strings.HasPrefix(p.options.BaseURL, "https:"), r.TLS != nil:
		return true
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

func (p *Pages) cookieName(r *http.Request, name string) string {
	if p.secure(r) {
		return "__Host-" + name
	}
	return name
}

// setCookie sets a cookie of the whole host that scripts cannot read. age 0 is
// until the browser is closed; a negative age deletes it.
func (p *Pages) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: p.cookieName(r, name), Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: p.secure(r), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// cookie returns the value of a cookie that was sent once; two of one name come
// from different places.
func (p *Pages) cookie(r *http.Request, name string) string {
	list := r.CookiesNamed(p.cookieName(r, name))
	if len(list) != 1 {
		return ""
	}
	return list[0].Value
}

// openSession opens the session of the browser's cookie, if it has one, and
// renews the cookie.
func (v *visit) openSession() error {
	s, err := v.p.open(v.w, v.r)
	if err != nil {
		return err
	}
	v.session = s
	if s != nil {
		v.User, v.client.Actor = s.User, s.User.Actor()
	}
	return nil
}

// open returns the session of the browser, or nil.
func (p *Pages) open(w http.ResponseWriter, r *http.Request) (*jotgate.PageSession, error) {
	cookie := p.cookie(r, sessionCookie)
	if cookie == "" {
		return nil, nil
	}
	s, err := p.gate.Sessions().Pages().Open(r.Context(), cookie)
	if errors.Is(err, jotgate.ErrNotAuthenticated) {
		p.setCookie(w, r, sessionCookie, "", -time.Second)
		return nil, nil
	}
	if err == nil && s.Changed {
		p.keep(w, r, s)
	}
	return s, err
}

// keep sends the cookie of a session.
func (p *Pages) keep(w http.ResponseWriter, r *http.Request, s *jotgate.PageSession) {
	age := time.Duration(0)
	if s.Keep {
		age = max(time.Second, s.Expires.Sub(p.gate.Settings().Now()))
	}
	p.setCookie(w, r, sessionCookie, s.Cookie, age)
}

// Language returns the language in which a page responds to the request, such as
// pt-BR: that of the parameter lang, which it stores in a cookie, that of this
// cookie, or the best of Accept-Language. Package admin calls it.
func (p *Pages) Language(w http.ResponseWriter, r *http.Request) string {
	return p.language(w, r).Code
}

// language chooses the language of a page: by the parameter lang, which is kept
// in a cookie, by that cookie, or by Accept-Language.
func (p *Pages) language(w http.ResponseWriter, r *http.Request) *catalog.Catalog {
	if l := p.catalogs.Named(r.URL.Query().Get("lang")); l != nil {
		p.setCookie(w, r, languageCookie, l.Code, 365*24*time.Hour)
		return l
	}
	if l := p.catalogs.Named(p.cookie(r, languageCookie)); l != nil {
		return l
	}
	return p.catalogs.Accept(r.Header.Get("Accept-Language"))
}
