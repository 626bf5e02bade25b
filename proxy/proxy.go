// Package proxy is a reverse proxy that protects an API in any language: requests
// under a protected prefix need a valid access token, all other requests pass, and
// headers state the user's identity to the upstream.
//
// The two calls to make are [New] and api.Server, whose limits also suit a proxy:
//
//	handler, err := proxy.New(gate.Guard, proxy.Settings{
//		Upstream: "http://127.0.0.1:3000",
//		Protect:  []string{"/"},
//	})
//	err = api.Server(":8080", handler).ListenAndServe()
//
// To protect "/", which is everything, is the safe choice: a prefix that is forgotten
// in Settings.Protect is open. The upstream must be reachable through the proxy only,
// because it believes the headers.
//
// The upstream receives the headers of [Identify], made from the verified token, and
// never a copy that a client sent. A request header is forwarded only if its
// name consists of alphanumeric characters and "-", because CGI, WSGI and PHP do
// not distinguish other characters from "-". Headers that state the client's
// identity or address, or another path, host or method, are dropped, and so are
// trailers. WebSocket passes through, and so do bodies of any length, as long as
// they make progress (Settings.ClientTimeout). Any other change of protocol is
// prevented, because the requests that follow it could not be checked.
//
// A path is protected if it is under a prefix in any interpretation that some server
// is known to make of it ([Covers]), so that the proxy and the API behind it cannot
// disagree.
package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/web"
	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/trace"
)

// Settings holds the options of the proxy. Upstream and Protect are required; the zero
// value of each other option is the safe choice.
type Settings struct {
	// Upstream is the URL of the API behind the proxy: scheme, host, and
	// optionally a path, which precedes the path of every request; or unix:PATH,
	// the Unix socket that it listens on. Required.
	Upstream string
	// Protect lists the path prefixes that need a token; "/" is everything.
	// Required: a proxy that protects nothing is a mistake.
	Protect []string
	// StepUp maps path prefixes to what their requests need in addition to a token: a
	// recent authentication, two factors, or both, as with jotgate.Guard.RequireAuth.
	// Other requests get the response of RFC 9470 with status 401, after which the client
	// lets the user authenticate again; a browser is redirected to the page for that, and
	// back. If several prefixes cover a path, all of their requirements apply. These
	// prefixes are protected even if they are not in Protect. Default: none.
	StepUp map[string][]jotgate.Requirement
	// DropToken removes the header with the token, or another credential that the
	// guard accepts, from the forwarded request.
	// Default: false.
	DropToken bool
	// DropHeaders names request headers that are not forwarded, in addition to those
	// that docs/proxy.md lists: add those by which the upstream identifies a client.
	// Case does not matter. Default: none.
	DropHeaders []string
	// PassHeaders names request headers that clients may send although docs/proxy.md
	// lists them, such as X-Auth-Token or Cf-Ray. It cannot name a header that the
	// proxy writes, nor one with characters that are not alphanumeric or "-".
	// Default: none.
	PassHeaders []string
	// TrustedProxies are the proxies in front of this one whose X-Forwarded-For,
	// -Proto and -Host are used, as in api.Settings: the upstream receives the
	// client's address, scheme and host from the same three headers, one value in
	// each. Default: none, they are those of the connection.
	TrustedProxies []string
	// ForwardedHeader reads Forwarded (RFC 7239) of those proxies instead.
	// Default: false.
	ForwardedHeader bool
	// CORSOrigins are the origins whose pages may call the upstream, as in
	// api.Settings. For them the proxy answers preflights and sets the CORS
	// headers of all responses, its own 401 and the upstream's.
	// Default: none.
	CORSOrigins []string
	// PassPreflights forwards preflights of other origins without a token, for an
	// upstream that answers them itself. They have no body and no identity.
	// Default: false, they need a token like any request.
	PassPreflights bool
	// CORSHeaders are further request headers that those pages may send.
	// Default: those of api.Settings.CORSHeaders.
	CORSHeaders []string
	// CORSExposeHeaders are further response headers that those pages may read.
	// Default: none.
	CORSExposeHeaders []string
	// CORSCredentials lets those pages send requests with cookies. Default: false.
	CORSCredentials bool
	// Timeout is how long the upstream may take to begin its response.
	// Default: 60 seconds.
	Timeout time.Duration
	// ClientTimeout is how long a client may go without sending the next part
	// of its request body, or without reading the next part of the response,
	// at most 32 KiB. It is then disconnected, with 408 if no response has
	// begun. A request as a whole has no time limit, and neither has a pause
	// of the upstream within a response. WebSocket connections are exempt.
	// Default: 60 seconds.
	ClientTimeout time.Duration
	// Browsers also accepts the cookie of a login page for protected paths, sends
	// browsers without one to the login page, and removes its cookies from every
	// request. Other clients get 401 as before. Default: none, tokens only.
	Browsers Browsers
	// Logger receives failures of the upstream. Default: slog.Default().
	Logger *slog.Logger
}

type userKey struct{}

// New returns the proxy, or an error that names the invalid setting. The handler
// is safe for concurrent use.
func New(guard *jotgate.Guard, s Settings) (http.Handler, error) {
	target, err := parseTarget(s.Upstream)
	if err != nil {
		return nil, fmt.Errorf("proxy: Upstream: %w", err)
	}
	if len(s.Protect) == 0 {
		return nil, errors.New("proxy: Protect is empty: list the path prefixes that need a token, / for all")
	}
	if err := checkPrefixes(s.Protect); err != nil {
		return nil, fmt.Errorf("proxy: Protect: %w", err)
	}
	demands, err := newDemands(s.StepUp)
	if err != nil {
		return nil, fmt.Errorf("proxy: StepUp: %w", err)
	}
	s.Protect = slices.Concat(s.Protect, demands.prefixes)
	s.Logger = slog.New(trace.Handler(cmp.Or(s.Logger, slog.Default()).Handler()))
	if s.Timeout <= 0 {
		s.Timeout = time.Minute
	}
	if s.ClientTimeout <= 0 {
		s.ClientTimeout = time.Minute
	}
	rules, err := newHeaderRules(guard.Header().Name, s)
	if err != nil {
		return nil, err
	}
	pages, err := s.cors(guard.Header().Name)
	if err != nil {
		return nil, fmt.Errorf("proxy: %w", err)
	}
	proxies, err := throttle.ParseProxies(s.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("proxy: TrustedProxies: %w", err)
	}
	proxies.Forwarded = s.ForwardedHeader
	open := forward(guard, target, rules, proxies, s)
	closed := browserGate(guard, s, demands, open, demands.tokens(guard, open))
	gate := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodTrace || r.Method == http.MethodConnect {
			// TRACE would return the token to the client; CONNECT has no path.
			(&jotgate.Error{Status: http.StatusMethodNotAllowed, Detail: `Method "` + r.Method + `" not allowed.`}).Respond(w, "")
			return
		}
		switch preflight := web.IsPreflight(r); {
		case preflight && pages.Lists(r):
			pages.Preflight(w.(*outgoing).ResponseWriter, r) // outgoing is for responses to the page itself
		case preflight && s.PassPreflights, !Covers(s.Protect, r):
			open.ServeHTTP(w, r)
		default:
			closed.ServeHTTP(w, r)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		out := &outgoing{ResponseWriter: w, limit: s.ClientTimeout, r: r, pages: pages}
		web.LimitUnread(w, r, s.ClientTimeout)
		gate(out, r)
		out.finish()
	}), nil
}

// cors returns the CORS of the settings; pages may send the token in its header.
func (s *Settings) cors(tokenHeader string) (*web.CORS, error) {
	headers := slices.Clone(s.CORSHeaders)
	if tokenHeader != "" {
		headers = append(headers, tokenHeader)
	}
	return web.NewCORS(web.CORSSettings{Origins: s.CORSOrigins, Headers: headers, ExposeHeaders: s.CORSExposeHeaders, Credentials: s.CORSCredentials})
}

// forward returns the handler that forwards requests to the upstream. It does not
// check the token.
func forward(guard *jotgate.Guard, target target, rules headerRules, proxies throttle.Proxies, s Settings) http.Handler {
	cookies := s.cookieNames()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	target.dial(transport)
	transport.Proxy = nil // connect to the upstream directly, whatever HTTP_PROXY says
	transport.ResponseHeaderTimeout = s.Timeout
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 0
	transport.DisableCompression = true // do not add Accept-Encoding to the client's request
	behind := &httputil.ReverseProxy{
		Transport:     transport,
		BufferPool:    newBufferPool(),
		FlushInterval: -1, // forward a streamed response without delay
		ErrorLog:      slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target.url)
			p.Out.Host = p.In.Host
			rules.apply(p.Out.Header)
			p.Out.Trailer = nil // some servers add trailers to the headers (RFC 9110 section 6.5.1)
			keepProtocol(p.Out)
			setForwarded(p.Out.Header, proxies.Original(p.In))
			dropProtocolToken(p.Out.Header)
			dropCookies(p.Out.Header, cookies)
			if s.DropToken {
				guard.Header().Remove(p.Out.Header)
			}
			if user, ok := p.In.Context().Value(userKey{}).(*jotgate.User); ok {
				Identify(p.Out.Header, user)
			}
		},
		ModifyResponse: selectProtocol,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if body := w.(*outgoing).body; body != nil && body.isLate() {
				errLate.Respond(w, "")
				return
			}
			if r.Context().Err() == nil {
				s.Logger.WarnContext(trace.With(r.Context(), trace.Of(r, "")), "the upstream did not answer", "cause", err)
			}
			(&jotgate.Error{Status: http.StatusBadGateway, Detail: "The service behind the gate did not answer."}).Respond(w, "")
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = withOffer(r)
		if r.ContentLength != 0 {
			out := w.(*outgoing)
			r = out.receive(r)
			defer out.body.stop()
		}
		behind.ServeHTTP(w, r)
	})
}

// keepProtocol allows a change of protocol only to WebSocket. After a change to
// HTTP/2 without TLS (h2c), requests for any path could be sent through the same
// connection unchecked. The protocol also cannot change while the request has a
// body (RFC 9110 section 7.8), because no one would read it.
func keepProtocol(r *http.Request) {
	if upgrade := r.Header.Get("Upgrade"); upgrade != "" && (!strings.EqualFold(upgrade, "websocket") || r.ContentLength != 0) {
		r.Header.Del("Upgrade")
		r.Header.Del("Connection")
	}
	r.Header.Del("Http2-Settings")
}

// Identify sets the headers that state the user's identity: X-Auth-Id, X-Auth-User
// (the username), X-Auth-Role ("admin", "staff" or "user"), X-Auth-Email,
// X-Auth-Groups (names, separated by commas), X-Auth-Session, and X-Auth-Actor (the
// id of the member of staff who acts for the user). It sets no header whose value is
// not in the token. "%" and characters that are not printable ASCII are
// percent-encoded, so a value can neither end a header nor begin another one.
func Identify(h http.Header, user *jotgate.User) {
	values := identityValues(user)
	for i, name := range identity {
		if values[i] != "" {
			h[name] = values[i : i+1 : i+1]
		}
	}
}

// IdentifyAll sets all headers of Identify, for the response to a gateway that copies
// them: those whose value is not in the token are empty. If a header were missing, some
// gateways would keep the client's copy or insert a placeholder.
func IdentifyAll(h http.Header, user *jotgate.User) {
	values := identityValues(user)
	for i, name := range identity {
		h[name] = values[i : i+1 : i+1]
	}
}

// identityValues returns the values of the identity headers, in the order of identity.
func identityValues(user *jotgate.User) *[len(identity)]string {
	return &[...]string{
		headerText(user.Username), headerText(string(user.ID)), headerText(user.Role.Type),
		headerText(user.Email), groupsText(user.Groups), headerText(user.Session), headerText(string(user.Actor())),
	}
}

// groupsText joins the names with commas; a comma within a name is encoded.
func groupsText(groups []string) string {
	if len(groups) == 0 {
		return ""
	}
	names := make([]string, len(groups))
	for i, group := range groups {
		names[i] = strings.ReplaceAll(headerText(group), ",", "%2C")
	}
	return strings.Join(names, ",")
}

// headerText percent-encodes "%" and all characters that are not printable ASCII.
func headerText(s string) string {
	i := 0
	for i < len(s) && plainIn(s, i) {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if plainIn(s, i) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", s[i])
		}
	}
	return b.String()
}

// plainIn reports whether byte i of s needs no encoding. A space needs none unless
// it is the first or last byte.
func plainIn(s string, i int) bool {
	c := s[i]
	return c > ' ' && c < 0x7f && c != '%' || c == ' ' && i > 0 && i < len(s)-1
}
