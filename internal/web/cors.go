package web

// Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol).

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/rs/cors"
	"golang.org/x/net/http/httpguts"
)

// CORSSettings say which pages of other origins may call a handler. The names
// without the prefix CORS are those of api.Settings.
type CORSSettings struct {
	Origins       []string // https://app.example.com; none: CORS is off
	Credentials   bool     // pages may send cookies
	Headers       []string // request headers that pages may send, in addition to allowedHeaders
	ExposeHeaders []string // response headers that pages may read, in addition to exposedHeaders
}

// allowedHeaders are those that a page may send: what django-cors-headers allows
// by default (corsheaders/defaults.py; the last three up to its version 3), and a
// request id.
var allowedHeaders = []string{
	"Accept", "Authorization", "Content-Type", "User-Agent", "X-CSRFToken", "X-Requested-With",
	"Accept-Encoding", "Dnt", "Origin", RequestID,
}

// exposedHeaders are those that a page may read.
var exposedHeaders = []string{"Retry-After", "WWW-Authenticate", RequestID}

// CORS lets pages of the listed origins call handlers: by name, never by "*". The
// nil CORS allows none. It is safe for concurrent use.
type CORS struct {
	settings CORSSettings
	expose   string
	rules    *cors.Cors
}

// NewCORS returns the CORS of the settings, or nil if they list no origin. The
// error names the setting at fault.
func NewCORS(s CORSSettings) (*CORS, error) {
	for _, origin := range s.Origins {
		if err := checkOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORSOrigins: %q %w", origin, err)
		}
	}
	for setting, names := range map[string][]string{"CORSHeaders": s.Headers, "CORSExposeHeaders": s.ExposeHeaders} {
		for _, name := range names {
			if !httpguts.ValidHeaderFieldName(name) || name == "*" {
				return nil, fmt.Errorf("%s: %q is not the name of a header", setting, name)
			}
		}
	}
	if len(s.Origins) == 0 {
		return nil, nil
	}
	expose := slices.Concat(exposedHeaders, s.ExposeHeaders)
	return &CORS{settings: s, expose: strings.Join(expose, ", "), rules: cors.New(cors.Options{
		AllowedOrigins:   s.Origins,
		AllowedMethods:   []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders:   slices.Concat(allowedHeaders, s.Headers),
		ExposedHeaders:   expose,
		AllowCredentials: s.Credentials,
		MaxAge:           600,
	})}, nil
}

// Wrap returns next with CORS: preflights are answered, and pages of the origins
// can read every response of next.
func (c *CORS) Wrap(next http.Handler) http.Handler {
	if c == nil {
		return next
	}
	inner := c.rules.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(w, sortedNames(r)) })
}

// Lists reports whether the request comes from a page of a listed origin.
func (c *CORS) Lists(r *http.Request) bool {
	return c != nil && slices.Contains(c.settings.Origins, r.Header.Get("Origin"))
}

// Preflight answers a preflight of a listed origin.
func (c *CORS) Preflight(w http.ResponseWriter, r *http.Request) {
	c.rules.HandlerFunc(w, sortedNames(r))
}

// SetHeaders lets the page that sent the request read the response, if its origin
// is listed. Headers to the same end that another server has set are replaced.
func (c *CORS) SetHeaders(h http.Header, r *http.Request) {
	if c == nil {
		return
	}
	h.Add("Vary", "Origin")
	if !c.Lists(r) {
		return
	}
	for _, name := range []string{"Credentials", "Methods", "Headers"} {
		h.Del("Access-Control-Allow-" + name)
	}
	h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
	h.Add("Access-Control-Expose-Headers", c.expose)
	if c.settings.Credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// IsPreflight reports whether a browser asks with this request whether a page may
// send another one. It never has a token, and no body.
func IsPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.ContentLength == 0 &&
		r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

// maxUnlisted limits how many origins are logged: clients choose them.
const maxUnlisted = 10

// unlisted has the origins that were logged.
type unlisted struct {
	mu      sync.Mutex
	origins []string
}

// first reports whether the origin is to be logged now.
func (u *unlisted) first(origin string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.origins) == maxUnlisted || slices.Contains(u.origins, origin) {
		return false
	}
	u.origins = append(u.origins, origin)
	return true
}

// warnUnlisted logs the preflight of a page that is not listed, once for each
// origin: its developer sees an error of the browser that names no setting.
func (s *Shell) warnUnlisted(r *http.Request) {
	if !IsPreflight(r) || s.cors.Lists(r) {
		return
	}
	origin := r.Header.Get("Origin")
	if checkOrigin(origin) == nil && s.refused.first(origin) {
		s.logger().WarnContext(r.Context(), "a page of another origin was refused: list its origin (CORSOrigins, --cors-origins)", "origin", origin)
	}
}

// sortedNames returns the request with Access-Control-Request-Headers as browsers
// write it, in lower case and sorted, since rs/cors rejects any other form; other
// clients write it as they like.
func sortedNames(r *http.Request) *http.Request {
	const header = "Access-Control-Request-Headers"
	names := strings.FieldsFunc(strings.ToLower(strings.Join(r.Header[header], ",")), func(c rune) bool { return c == ',' || c == ' ' || c == '\t' })
	if len(names) == 0 {
		return r
	}
	slices.Sort(names)
	r = r.Clone(r.Context())
	r.Header.Set(header, strings.Join(slices.Compact(names), ","))
	return r
}

// checkOrigin rejects what no browser sends as the Origin header: it would be
// listed in vain. The error completes a sentence about the origin.
func checkOrigin(origin string) error {
	switch {
	case origin == "*":
		return fmt.Errorf("would allow every page: list the origins, such as https://app.example.com")
	case origin == "null":
		return fmt.Errorf("is the origin of every sandboxed page and local file: serve the page from an origin such as https://app.example.com")
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return fmt.Errorf("is not an origin such as https://app.example.com")
	}
	if strings.Contains(u.Host, "*") {
		return fmt.Errorf("has a wildcard: list each origin")
	}
	if sent := originOf(u); sent != origin {
		return fmt.Errorf("is not an origin as browsers send it: write %s", sent)
	}
	return nil
}

// originOf returns the origin of a URL as browsers serialize it: in lower case,
// with the host as sentHost returns it, without the port that the scheme implies.
func originOf(u *url.URL) string {
	scheme, host, port := strings.ToLower(u.Scheme), sentHost(u.Hostname()), u.Port()
	if scheme == "https" && port == "443" || scheme == "http" && port == "80" {
		port = ""
	}
	if port != "" {
		return scheme + "://" + net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return scheme + "://" + host
}
