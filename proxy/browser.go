package proxy

// Browsers: requests that are authenticated by the cookie of a login page.

import (
	"net/http"
	"slices"
	"strings"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
)

// Browsers finds the user of a browser that has signed in at a page; *pages.Pages
// implements it. It must be safe for concurrent use. It may have two more methods:
//
//   - Refused(*http.Request, *jotgate.User, error) is called for each request of a
//     signed-in browser that is rejected because another origin caused it.
//   - ToStepUp(http.ResponseWriter, *http.Request, *jotgate.Error) redirects the browser
//     to the page at which its user authenticates again, and back, because of an error
//     of jotgate.Guard.CheckAuth.
type Browsers interface {
	// SignedIn returns the user of the request's cookie, or nil if the browser is
	// not signed in. It may set a cookie on the response. The error is
	// jotgate.ErrUnavailable.
	SignedIn(w http.ResponseWriter, r *http.Request) (*jotgate.User, error)
	// ToLogin sends the browser to the login page and, after that, back to the
	// URL of the request.
	ToLogin(w http.ResponseWriter, r *http.Request)
	// CookieNames lists the names of the cookies of the pages. These cookies are never
	// forwarded, and neither are those named jotgate or jotgate-….
	CookieNames() []string
}

// browserGate returns a handler for protected paths that also accepts the cookie
// of a login page; tokens is the handler for requests with a token, and the
// response to those with neither.
func browserGate(guard *jotgate.Guard, s Settings, demands *demands, open, tokens http.Handler) http.Handler {
	if s.Browsers == nil {
		return tokens
	}
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if guard.Header().In(r.Header) {
			tokens.ServeHTTP(w, r)
			return
		}
		user, err := s.Browsers.SignedIn(w, r)
		switch {
		case err != nil:
			jotgate.AsError(err).Respond(w, guard.Header().Challenge)
		case user == nil && isNavigation(r):
			s.Browsers.ToLogin(w, r)
		case user == nil:
			tokens.ServeHTTP(w, r)
		case web.IsForeign(r, origins.Check):
			// The browser adds the cookie to requests of pages of other origins, too.
			err := &jotgate.Error{Status: http.StatusForbidden, Detail: "Cross-origin request refused."}
			if trail, ok := s.Browsers.(interface {
				Refused(r *http.Request, user *jotgate.User, err error)
			}); ok {
				trail.Refused(r, user, err)
			}
			err.Respond(w, "")
		default:
			if err := guard.CheckAuth(user, demands.of(r)...); err != nil {
				stepUp(guard, s.Browsers, w, r, jotgate.AsError(err))
				return
			}
			open.ServeHTTP(w, withUser(r, user))
		}
	})
}

// stepUp sends a browser whose authentication is too old or too weak to the page at
// which its user authenticates again. A script, and a form whose fields would be
// lost, get the error.
func stepUp(guard *jotgate.Guard, pages Browsers, w http.ResponseWriter, r *http.Request, err *jotgate.Error) {
	if p, ok := pages.(interface {
		ToStepUp(w http.ResponseWriter, r *http.Request, err *jotgate.Error)
	}); ok && isNavigation(r) {
		p.ToStepUp(w, r, err)
		return
	}
	err.Respond(w, guard.Header().Challenge)
}

// isNavigation reports whether a person opens a page, and no script or program
// requests it: those get a 401 that they understand.
func isNavigation(r *http.Request) bool {
	mode := r.Header.Get("Sec-Fetch-Mode")
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && (mode == "" || mode == "navigate") &&
		strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("Upgrade") == ""
}

// isOwnCookie reports a cookie of jotgate: that of a page, which is as good as a login, of
// a login in progress, or of a refresh token.
func isOwnCookie(name string) bool {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "__Host-"), "__Secure-")
	return name == "jotgate" || strings.HasPrefix(name, "jotgate-")
}

// dropCookies removes jotgate's cookies and those of these names from the header, and
// leaves the others as they are.
func dropCookies(h http.Header, names []string) {
	lines := h["Cookie"]
	if len(names) == 0 && !slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, "jotgate") }) {
		return
	}
	var kept []string
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			name, _, _ := strings.Cut(pair, "=")
			name = strings.TrimSpace(name)
			if pair = strings.TrimSpace(pair); pair != "" && !isOwnCookie(name) && !slices.Contains(names, name) {
				kept = append(kept, pair)
			}
		}
	}
	if delete(h, "Cookie"); len(kept) > 0 {
		h.Set("Cookie", strings.Join(kept, "; "))
	}
}

// cookieNames lists the cookies that are never forwarded.
func (s *Settings) cookieNames() []string {
	if s.Browsers == nil {
		return nil
	}
	return s.Browsers.CookieNames()
}
