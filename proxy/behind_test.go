package proxy_test

// The proxy behind another one, before pages of other origins, and before an
// upstream on a Unix socket.

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/tempdir"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/proxy"
)

// The client's address, scheme and host reach the upstream from a trusted proxy,
// and from nobody else.
func TestForwardedByATrustedProxy(t *testing.T) {
	const xff = "\nX-Forwarded-For: 6.6.6.6, 203.0.113.7\nX-Forwarded-Proto: https\nX-Forwarded-Host: shop.example.com"
	const rfc7239 = "\nForwarded: for=203.0.113.8;proto=https;host=rfc.example.com"
	for name, row := range map[string]struct {
		change                 func(*proxy.Settings)
		client, protocol, host string
	}{
		"a stranger":      {nil, "127.0.0.1", "http", "shop.example"},
		"another proxy":   {func(s *proxy.Settings) { s.TrustedProxies = []string{"10.0.0.0/8", "unix"} }, "127.0.0.1", "http", "shop.example"},
		"the trusted one": {func(s *proxy.Settings) { s.TrustedProxies = []string{"127.0.0.1"} }, "203.0.113.7", "https", "shop.example.com"},
		"the trusted one, by Forwarded": {func(s *proxy.Settings) {
			s.TrustedProxies, s.ForwardedHeader = []string{"127.0.0.1"}, true
		}, "203.0.113.8", "https", "rfc.example.com"},
	} {
		gate := start(t, upstream, row.change)
		for _, path := range []string{"/public", "/api/x"} {
			_, s := send(t, gate, "GET "+path+" HTTP/1.1\nAuthorization: Bearer "+token(t, "alice")+xff+rfc7239)
			for header, want := range map[string]string{"X-Forwarded-For": row.client, "X-Forwarded-Proto": row.protocol, "X-Forwarded-Host": row.host, "Forwarded": ""} {
				if got := strings.Join(s.Header.Values(header), "|"); got != want {
					t.Errorf("%s, %s: %s is %q, want %q", name, path, header, got, want)
				}
			}
			if s.Host != "shop.example" {
				t.Errorf("%s: Host is %q", name, s.Host)
			}
		}
	}
	for _, bad := range []string{"0.0.0.0/0", "proxy"} {
		if _, err := proxy.New(newGuard(t, jotgate.GuardSettings{}), proxy.Settings{Upstream: "http://a", Protect: []string{"/"}, TrustedProxies: []string{bad}}); err == nil || !strings.Contains(err.Error(), "TrustedProxies") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func newGuard(t *testing.T, s jotgate.GuardSettings) *jotgate.Guard {
	t.Helper()
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	s.Keys = key
	guard, err := jotgate.NewGuard(s)
	if err != nil {
		t.Fatal(err)
	}
	return guard
}

const page = "https://app.example.com"

// ownCORS is an upstream with CORS headers of its own, for every origin.
func ownCORS(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "false", "Access-Control-Allow-Methods": "GET",
		"Access-Control-Expose-Headers": "X-Total", "Vary": "Accept", "X-Upstream": r.Method,
	} {
		w.Header().Set(name, value)
	}
	if r.URL.Path == "/api/hints" {
		w.WriteHeader(http.StatusEarlyHints)
	}
	if r.URL.Path == "/api/503" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	upstream(w, r)
}

// A page of a listed origin can call the API and read every response, whoever made
// it. Preflights never need a token.
func TestPagesOfOtherOrigins(t *testing.T) {
	gate := start(t, ownCORS, func(s *proxy.Settings) {
		s.CORSOrigins, s.CORSHeaders, s.CORSExposeHeaders, s.CORSCredentials = []string{page}, []string{"X-Tenant"}, []string{"Link"}, true
	})
	bearer := "\nAuthorization: Bearer " + token(t, "alice")
	ask := func(head, origin string) *http.Response {
		res, _ := send(t, gate, head+"\nOrigin: "+origin)
		return res
	}
	for _, row := range []struct {
		name, head string
		status     int
	}{
		{"with a token", "GET /api/x HTTP/1.1" + bearer, 200},
		{"with a token, after a 1xx", "GET /api/hints HTTP/1.1" + bearer, 103},
		{"without a token", "GET /api/x HTTP/1.1", 401},
		{"with a bad token", "GET /api/x HTTP/1.1\nAuthorization: Bearer x.y.z", 401},
		{"an open path", "GET /public HTTP/1.1", 200},
		{"an upstream that fails", "GET /api/503 HTTP/1.1" + bearer, 503},
		{"a method that is refused", "TRACE /api/x HTTP/1.1" + bearer, 405},
		{"OPTIONS that is not a preflight", "OPTIONS /api/x HTTP/1.1", 401},
	} {
		res := ask(row.head, page)
		if row.status == 103 && res.StatusCode == 103 {
			continue // the final response is checked below
		}
		h := res.Header
		if res.StatusCode != row.status || !slices.Equal(h.Values("Access-Control-Allow-Origin"), []string{page}) ||
			h.Get("Access-Control-Allow-Credentials") != "true" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Origin") {
			t.Errorf("%s: %d %v", row.name, res.StatusCode, h)
		}
		if exposed := strings.Join(h.Values("Access-Control-Expose-Headers"), ", "); !strings.Contains(exposed, "Retry-After") || !strings.Contains(exposed, "Link") {
			t.Errorf("%s exposes %s", row.name, exposed)
		}
		if res.Header.Get("X-Upstream") != "" && !strings.Contains(strings.Join(h.Values("Access-Control-Expose-Headers"), ","), "X-Total") {
			t.Errorf("%s loses what the upstream exposes", row.name)
		}
		other := ask(row.head, "https://evil.example")
		if got := other.Header.Get("Access-Control-Allow-Origin"); row.status < 400 && row.status >= 200 && got != "*" || row.status == 401 && got != "" {
			t.Errorf("%s, of another origin: %q", row.name, got)
		}
	}
	for _, headers := range []string{"authorization", "Authorization, X-Tenant", "x-tenant,authorization,content-type", ""} {
		preflight := "OPTIONS /api/x HTTP/1.1\nAccess-Control-Request-Method: DELETE"
		if headers != "" {
			preflight += "\nAccess-Control-Request-Headers: " + headers
		}
		res := ask(preflight, page)
		allowed := strings.ToLower(res.Header.Get("Access-Control-Allow-Headers"))
		if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Origin") != page || res.Header.Get("Access-Control-Allow-Methods") != "DELETE" ||
			res.Header.Get("X-Upstream") != "" || headers != "" && !strings.Contains(allowed, "authorization") && headers != "" {
			t.Errorf("preflight of %q: %d %v", headers, res.StatusCode, res.Header)
		}
		if res := ask(preflight, "https://evil.example"); res.StatusCode != 401 || res.Header.Get("X-Upstream") != "" || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("preflight of another origin: %d %v", res.StatusCode, res.Header)
		}
	}
	if res := ask("OPTIONS /api/x HTTP/1.1\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Headers: x-auth-user", page); res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a header that is not listed: %v", res.Header)
	}
}

// With PassPreflights the upstream answers preflights, without an identity; what only
// looks like one needs a token.
func TestPreflightsForTheUpstream(t *testing.T) {
	gate := start(t, ownCORS, func(s *proxy.Settings) { s.PassPreflights = true })
	const preflight = "OPTIONS /api/x HTTP/1.1\nOrigin: https://app.example.com\nAccess-Control-Request-Method: GET"
	res, s := send(t, gate, preflight+"\nX-Auth-User: alice\nX-HTTP-Method-Override: DELETE")
	if res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "*" || s.Header.Get("X-Auth-User") != "" || s.Header.Get("X-Http-Method-Override") != "" {
		t.Errorf("%d %v; the upstream saw %v", res.StatusCode, res.Header, s.Header)
	}
	usual := start(t, ownCORS, nil)
	if res, _ := send(t, usual, preflight); res.StatusCode != 401 || res.Header.Get("X-Upstream") != "" {
		t.Errorf("by default: %d %v", res.StatusCode, res.Header)
	}
	for _, head := range []string{
		"GET /api/x HTTP/1.1\nOrigin: https://app.example.com\nAccess-Control-Request-Method: GET",
		"OPTIONS /api/x HTTP/1.1\nAccess-Control-Request-Method: GET",
		"OPTIONS /api/x HTTP/1.1\nOrigin: https://app.example.com",
		preflight + "\nContent-Length: 1",
		preflight + "\nTransfer-Encoding: chunked",
	} {
		if res, _ := send(t, gate, head); res.StatusCode != 401 || res.Header.Get("X-Upstream") != "" {
			t.Errorf("%s: %d", head, res.StatusCode)
		}
	}
}

// A page may send the token in the header that the settings name.
func TestPreflightOfTheTokensHeader(t *testing.T) {
	gate := unstartedWith(t, newGuard(t, jotgate.GuardSettings{HeaderName: "X-Access-Token"}), upstream, func(s *proxy.Settings) { s.CORSOrigins = []string{page} })
	gate.Start()
	res, _ := send(t, gate, "OPTIONS /api/x HTTP/1.1\nOrigin: "+page+"\nAccess-Control-Request-Method: GET\nAccess-Control-Request-Headers: x-access-token")
	if res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Headers") != "x-access-token" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

// An upstream on a Unix socket is reached as any other.
func TestUpstreamOnASocket(t *testing.T) {
	socket := filepath.Join(tempdir.ForSockets(t), "api.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	api := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(upstream)}}
	api.Start()
	defer api.Close()
	gate := start(t, upstream, func(s *proxy.Settings) { s.Upstream = "unix:" + socket })
	res, s := send(t, gate, "GET /api/things?x=1 HTTP/1.1\nAuthorization: Bearer "+token(t, "alice"))
	if res.StatusCode != 200 || s.Path != "/api/things?x=1" || s.Host != "shop.example" || s.Header.Get("X-Auth-User") != "alice" {
		t.Errorf("%d %+v", res.StatusCode, s)
	}
	for _, bad := range []string{"unix:", "unix:///run/api.sock", "unix:/" + strings.Repeat("a", 107), "http://", "ftp://a", "127.0.0.1:3000", "/run/api.sock"} {
		if _, err := proxy.New(newGuard(t, jotgate.GuardSettings{}), proxy.Settings{Upstream: bad, Protect: []string{"/"}}); err == nil || !strings.Contains(err.Error(), "Upstream") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A page opens a WebSocket with its token as a subprotocol. The upstream sees who it
// is, and neither the token nor the word before it.
func TestWebSocketOfAPage(t *testing.T) {
	saw := make(chan http.Header, 1)
	gate := start(t, func(w http.ResponseWriter, r *http.Request) {
		saw <- r.Header.Clone()
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat"}, InsecureSkipVerify: true})
		if err == nil {
			c.CloseNow()
		}
	}, nil)
	address := "ws" + strings.TrimPrefix(gate.URL, "http")
	ctx, cancel := context.WithTimeout(t.Context(), wait.Limit)
	defer cancel()
	signed := token(t, "alice")
	for _, row := range []struct {
		path     string
		offered  []string
		header   http.Header
		status   int
		selected string
		reaches  string
	}{
		{"/api/chat", []string{"bearer", signed}, nil, 101, "bearer", ""},
		{"/api/chat", []string{"bearer", signed, "chat"}, nil, 101, "chat", "chat"},
		{"/api/chat", []string{"chat", "bearer", signed}, nil, 101, "chat", "chat"},
		{"/api/chat", []string{"bearer", signed, "other"}, nil, 101, "bearer", "other"},
		{"/public", []string{"bearer", signed}, nil, 101, "bearer", ""},
		{"/public", []string{"bearer", "not.a.token"}, nil, 101, "bearer", ""},
		{"/api/chat", []string{"chat"}, http.Header{"Authorization": {"Bearer " + signed}}, 101, "chat", "chat"},

		{"/api/chat", []string{"bearer", "not.a.token"}, nil, 401, "", ""},
		{"/api/chat", []string{"bearer"}, nil, 401, "", ""},
		{"/api/chat", []string{signed}, nil, 401, "", ""},
		{"/api/chat", []string{"bearer", signed, "bearer", signed}, nil, 401, "", ""},
		{"/api/chat", []string{"chat"}, nil, 401, "", ""},
		{"/api/chat", []string{"bearer", signed}, http.Header{"Authorization": {"Bearer not.a.token"}}, 401, "", ""},
	} {
		c, res, err := websocket.Dial(ctx, address+row.path, &websocket.DialOptions{Subprotocols: row.offered, HTTPHeader: row.header})
		if res == nil || res.StatusCode != row.status || (err == nil) != (row.status == 101) {
			t.Fatalf("%s %.20q: %v %v", row.path, row.offered, res, err)
		}
		if err != nil {
			continue
		}
		c.CloseNow()
		h := <-saw
		if c.Subprotocol() != row.selected || h.Get("Sec-WebSocket-Protocol") != row.reaches {
			t.Errorf("%s %.20q: selected %q, the upstream saw %q", row.path, row.offered, c.Subprotocol(), h.Get("Sec-WebSocket-Protocol"))
		}
		if user := h.Get("X-Auth-User"); (user == "alice") != (row.path != "/public") {
			t.Errorf("%s %.20q: the upstream saw the user %q", row.path, row.offered, user)
		}
		if h.Del("Authorization"); strings.Contains(textOf(h), signed) {
			t.Errorf("%s %.20q: the token reaches the upstream", row.path, row.offered)
		}
	}
}

func textOf(h http.Header) string {
	var b strings.Builder
	_ = h.Write(io.Writer(&b))
	return b.String()
}
