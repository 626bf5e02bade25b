package api

// Rows H023 to H041: headers, methods, paths, origins, cookies, caches.

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jotgatetest"
)

const me = "/auth/users/me/"

func TestH023TwoAuthorizationHeaders(t *testing.T) {
	s := newSite(t, change{})
	alice, carol := s.login("alice"), s.login("carol")
	want(t, "one", s.me(alice), 200, "alice")
	for _, pair := range [][2]string{{alice.access, "x"}, {"x", alice.access}, {alice.access, carol.access}, {alice.access, alice.access}} {
		want(t, "two", s.ask("GET", me, "", "Authorization", "Bearer "+pair[0], "Authorization", "Bearer "+pair[1]), 401, "bad_authorization_header")
	}
}

func TestH024FoldedAuthorization(t *testing.T) {
	s := newSite(t, change{})
	token := s.login("alice").access
	for _, value := range []string{"Bearer " + token + ", Bearer " + token, ", Bearer " + token, "Bearer " + token + ",", "Bearer " + token + "\x00", "Bearer " + token + " x"} {
		if a := s.ask("GET", me, "", "Authorization", value); a.Status != 401 {
			t.Errorf("%.10q…: %d", value, a.Status)
		}
	}
	server := httptest.NewServer(s)
	defer server.Close()
	// A line folded between the words is one blank to net/http, which RFC 9112
	// section 5.2 allows; folded anywhere else it makes no token.
	for lines, status := range map[string]int{
		"Authorization: Bearer " + token:                             200,
		"Authorization: Bearer\r\n " + token:                         200,
		"Authorization: Bearer " + token[:20] + "\r\n " + token[20:]: 401,
		"Authorization : Bearer " + token:                            400,
	} {
		if got := send(t, server, "GET "+me+" HTTP/1.1\r\nHost: x\r\n"+lines+"\r\nConnection: close\r\n\r\n"); got != status {
			t.Errorf("%.30q: %d, want %d", lines, got, status)
		}
	}
}

// sent is a connection to the server over which the text was sent.
func sent(t *testing.T, server *httptest.Server, text string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(wait.Deadline())
	_, _ = io.WriteString(conn, text)
	return conn.(*net.TCPConn)
}

// send writes raw bytes and returns the status that comes back, 0 for none.
func send(t *testing.T, server *httptest.Server, text string) int {
	t.Helper()
	conn := sent(t, server, text)
	defer conn.Close()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

// Scheme words count their case, as in Django; blanks between scheme and token
// may be more than one, as there, too.
func TestH025SchemeVariants(t *testing.T) {
	s := newSite(t, change{})
	token := s.login("alice").access
	for value, status := range map[string]int{
		"Bearer " + token: 200, "Token " + token: 200, "Bearer  " + token: 200, "Bearer\t" + token: 200,
		"bearer " + token: 200, "BEARER " + token: 200, "JWT " + token: 401, "Bearer": 401, "Bearer x y": 401, "Basic YWxpY2U6eA==": 401, token: 401, "": 401,
	} {
		a := s.ask("GET", me, "", "Authorization", value)
		if a.Status != status || status == 401 && a.Header.Get("WWW-Authenticate") != `Bearer realm="api"` {
			t.Errorf("%.12q: %d %q", value, a.Status, a.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestH026TokenElsewhere(t *testing.T) {
	s := newSite(t, change{})
	token := s.login("alice").access
	for _, path := range []string{me + "?token=" + token, me + "?access_token=" + token, "/auth/check?access_token=" + token} {
		if a := s.ask("GET", path, ""); a.Status == 200 {
			t.Errorf("%.30s: %d", path, a.Status)
		}
	}
	want(t, "in the body", s.ask("PATCH", me, "access_token="+token, "Content-Type", "application/x-www-form-urlencoded"), 401, "credentials were not provided")
	if strings.Contains(s.logs.String(), token) {
		t.Error("the token stands in the log")
	}
}

func TestH027UnderscoreHeaders(t *testing.T) {
	s := newSite(t, change{})
	want(t, "X-Forwarded_User", s.ask("GET", me, "", "X-Forwarded_User", "alice", "X_Auth_User", "alice", "Remote-User", "alice"), 401, "")
	want(t, "Author_ization", s.ask("GET", me, "", "Author_ization", "Bearer "+s.login("alice").access), 401, "")
}

func TestH028Smuggling(t *testing.T) {
	s := newSite(t, change{})
	server := httptest.NewServer(s)
	defer server.Close()
	body := object("username", "alice", "password", goodPassword)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	head := "POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
	if status := send(t, server, head+length+"\r\n"+body); status != 200 {
		t.Fatalf("a good request: %d", status)
	}
	for name, text := range map[string]string{
		"two lengths":      head + length + "Content-Length: 3\r\n\r\n" + body,
		"signed length":    head + fmt.Sprintf("Content-Length: +%d\r\n", len(body)) + "\r\n" + body,
		"unknown encoding": head + "Transfer-Encoding: xchunked\r\n\r\n" + body,
		"bad chunk size":   head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body + "\r\n0\r\n\r\n",
		"blank in name":    head + length[:14] + " " + length[14:] + "\r\n" + body,
		"two encodings":    head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
	} {
		if status := send(t, server, text); status == 200 {
			t.Errorf("%s: %d", name, status)
		}
	}
}

// Where a length stands beside chunks, a server before this one may have gone by
// the length. The chunks count, and the connection ends: what follows them is no
// second request (RFC 9112 section 6.1).
func TestH028TwoFramings(t *testing.T) {
	s := newSite(t, change{})
	server := httptest.NewServer(s)
	defer server.Close()
	alice := "Authorization: Bearer " + s.login("alice").access + "\r\n"
	hidden := "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
	for _, path := range []string{"/api/token/", "/auth/check"} {
		for framing, want := range map[string]int{
			"Content-Length: 0\r\n\r\n":                                        2, // the hidden one is a request of its own
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n":                      1,
			"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": 1,
		} {
			if n := answers(t, server, "POST "+path+" HTTP/1.1\r\nHost: x\r\n"+alice+framing+hidden); n != want {
				t.Errorf("%s %q: %d answers, want %d", path, framing, n, want)
			}
		}
	}
}

// answers counts the answers to what is sent over one connection.
func answers(t *testing.T, server *httptest.Server, text string) int {
	t.Helper()
	conn := sent(t, server, text)
	defer conn.Close()
	_ = conn.CloseWrite()
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(all), "HTTP/1.1 ")
}

// Nothing but the very path is answered; any other is unknown, in JSON.
func TestH029PathConfusion(t *testing.T) {
	s := newSite(t, change{})
	for _, path := range []string{
		"/auth//users/me/", "/auth/./users/me/", "/auth/x/../users/me/", "/auth/users/%2e%2e/users/me/", "/AUTH/users/me/", "/auth/users/me;a=1/",
		"/auth/users/me%00/", "/auth/users/me/.", "/auth%2fusers%2fme/", "/auth/users%2Fme/", "/auth/users/me//",
	} {
		if a := s.ask("GET", path, ""); a.Status == 200 || a.Status/100 == 3 {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	unknown := s.ask("GET", "/nowhere", "")
	for _, path := range []string{
		"//auth/check", "/auth/../auth/check", "/auth/./check", "/auth//check", "/auth/check/.", "/auth/check//", "/auth/..", "/./", "//", "/..", "///evil.invalid",
		"/.well-known/../auth/check", "/.well-known//jwks.json", "http://example.com",
	} {
		for _, method := range []string{"GET", "POST", "HEAD", "OPTIONS"} {
			a := s.ask(method, path, "")
			want(t, method+" "+path, a, 404, `{"detail":"Not found."}`)
			if method == "GET" {
				same(t, path, a, unknown)
			}
		}
	}
	want(t, "a name that begins with a dot", s.ask("GET", "/.well-known/jwks.json", ""), 200, `{"keys":[`)
	want(t, "an encoded slash is none", s.ask("GET", "/auth/users/a%2f%2fb/", ""), 401, "")
	want(t, "another host", newSite(t, change{api: func(a *Settings) { a.AllowedHosts = []string{"example.org"} }}).ask("GET", "//auth/check", ""), 400, "Invalid Host header.")
}

func TestH030Methods(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, method := range []string{"GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "POST", "TRACE", "get", "QUERY"} {
		if a := s.ask(method, me, ""); a.Status != 401 {
			t.Errorf("%s without a token: %d", method, a.Status)
		}
	}
	for _, method := range []string{"TRACE", "get", "POST", "QUERY"} {
		a := s.ask(method, me, "", append(alice.header(), "X-HTTP-Method-Override", "GET", "X-Method-Override", "GET")...)
		if a.Status != 405 || a.Header.Get("Allow") != "GET, PUT, PATCH, DELETE, HEAD, OPTIONS" {
			t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
		}
	}
	if a := s.ask("GET", me, "", append(alice.header(), "X-HTTP-Method-Override", "DELETE")...); a.Status != 200 {
		t.Errorf("override: %d", a.Status)
	}
	s.account("alice") // still there
}

func TestH031ContentTypes(t *testing.T) {
	s := newSite(t, change{})
	body := object("username", "alice", "password", goodPassword)
	for contentType, status := range map[string]int{
		"application/json": 200, "application/json; charset=UTF-8": 200, "text/plain": 415, "application/xml": 415, "": 415, "application/json; charset=utf-7": 415,
		"application/json; charset=utf-16": 415, "text/json": 415, "application/x-json": 415, "application/json, text/plain": 415,
	} {
		if a := s.ask("POST", "/api/token/", body, "Content-Type", contentType); a.Status != status {
			t.Errorf("%q: %d", contentType, a.Status)
		}
	}
	want(t, "two objects", s.ask("POST", "/api/token/", body+body), 400, "Extra data")
}

func TestH032DuplicateMembers(t *testing.T) {
	s := newSite(t, change{})
	for body, text := range map[string]string{
		`{"username":"carol","username":"alice","password":"correct horse battery"}`:      "Duplicate member",
		`{"username":"alice","user\u006eame":"alice","password":"correct horse battery"}`: "Duplicate member",
		`{"Username":"alice","password":"correct horse battery"}`:                         `"username":["This field is required."]`,
		`{"username":"alice","PASSWORD":"correct horse battery"}`:                         `"password":["This field is required."]`,
		`{"username":"alice","password":"x","password":"correct horse battery"}`:          "Duplicate member",
	} {
		want(t, body, s.ask("POST", "/api/token/", body), 400, text)
		want(t, body, s.ask("POST", "/auth/users/", body), 400, "")
	}
	want(t, "an unknown member", s.ask("POST", "/api/token/", `{"username":"alice","USERNAME":"carol","password":"correct horse battery"}`), 200, `"username":"alice"`)
}

func TestH033CORS(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.CORSOrigins, a.RefreshCookie = []string{"https://good.example"}, true }})
	for _, origin := range []string{"https://evil.invalid", "null", "https://good.example.evil.invalid", "http://good.example", "https://good.example:444", "https://xgood.example"} {
		for _, method := range []string{"OPTIONS", "GET"} {
			a := s.ask(method, me, "", "Origin", origin, "Access-Control-Request-Method", "GET")
			if a.Header.Get("Access-Control-Allow-Origin") != "" || !strings.Contains(a.Header.Get("Vary"), "Origin") {
				t.Errorf("%s from %s: %v", method, origin, a.Header)
			}
		}
	}
	a := s.ask("OPTIONS", me, "", "Origin", "https://good.example", "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization")
	if a.Header.Get("Access-Control-Allow-Origin") != "https://good.example" || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("the good origin: %d %v", a.Status, a.Header)
	}
	if _, err := New(s.gate, Settings{CORSOrigins: []string{"*"}}); err == nil {
		t.Error("any origin is allowed")
	}
	if a := newSite(t, change{}).ask("GET", me, "", "Origin", "https://good.example"); a.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("an origin is allowed by default")
	}
}

func TestH034LoginCSRF(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	form := "username=alice&password=correct+horse+battery"
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.invalid"}, {"Sec-Fetch-Site", "same-site"}} {
		for _, path := range []string{"/api/token/", "/api/token/refresh/", "/api/token/blacklist/", "/auth/jwt/create/"} {
			want(t, path, s.ask("POST", path, form+"&refresh=x", append(headers, "Content-Type", "application/x-www-form-urlencoded")...), 403, "Cross-origin request refused.")
		}
	}
	want(t, "from one's own page", s.ask("POST", "/api/token/", form, "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded"), 200, "access")
	bearer := newSite(t, change{})
	if a := bearer.try("alice", goodPassword, "Sec-Fetch-Site", "cross-site"); a.Header.Get("Set-Cookie") != "" {
		t.Error("a cookie is set without the setting")
	}
}

func TestH035CookieFlags(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	a := s.try("alice", goodPassword)
	cookie := a.Header.Get("Set-Cookie")
	for _, part := range []string{"__Secure-jotgate-refresh=ey", "; Path=/api/token;", "; Max-Age=86400;", "; HttpOnly", "; Secure", "; SameSite=Strict"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("%s is not in %s", part, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") || len(cookie) > 4096 || strings.Contains(a.Body, "refresh") {
		t.Errorf("%d bytes, body %s", len(cookie), a.Body)
	}
	value, _, _ := strings.Cut(cookie, ";")
	next := s.ask("POST", "/api/token/refresh/", "{}", "Cookie", value)
	want(t, "refresh by cookie", next, 200, "access")
	if strings.Contains(next.Body, "refresh") || next.Header.Get("Set-Cookie") == cookie {
		t.Error("the cookie was not rotated")
	}
	value, _, _ = strings.Cut(next.Header.Get("Set-Cookie"), ";")
	out := s.ask("POST", "/api/token/blacklist/", "{}", "Cookie", value)
	want(t, "logout by cookie", out, 200, "{}")
	if !strings.Contains(out.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Error("the cookie stays after the logout")
	}
	want(t, "no cookie", s.ask("POST", "/api/token/refresh/", "{}"), 401, "token_not_valid")
}

func TestH036TwoCookies(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.RefreshCookie = true }})
	value, _, _ := strings.Cut(s.try("alice", goodPassword).Header.Get("Set-Cookie"), ";")
	want(t, "two cookies", s.ask("POST", "/api/token/refresh/", "{}", "Cookie", value+"; __Secure-jotgate-refresh=x"), 401, "Token is invalid")
	want(t, "one cookie", s.ask("POST", "/api/token/refresh/", "{}", "Cookie", value+"; other=x"), 200, "access")
}

func TestH037NoStore(t *testing.T) {
	s := newSite(t, change{})
	alice := s.login("alice")
	for _, a := range []answer{
		s.try("alice", goodPassword), s.try("alice", "x"), s.refresh(alice.refresh), s.refresh("x"), s.me(alice), s.ask("GET", me, ""), s.ask("POST", "/api/token/", "{"),
		s.ask("GET", "/auth/check", "", alice.header()...), s.ask("GET", "/nowhere", ""), s.ask("DELETE", "/api/token/", ""), s.ask("POST", "/api-token-auth/", object("username", "alice", "password", goodPassword)),
	} {
		if a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%d %.40s: Cache-Control %q", a.Status, a.Body, a.Header.Get("Cache-Control"))
		}
	}
}

func TestH038SecurityHeaders(t *testing.T) {
	s := newSite(t, change{})
	for _, r := range s.routes() {
		a := s.ask("GET", strings.NewReplacer("{id}", "1", "{file}", "docs.js").Replace(r.path), "")
		csp := a.Header.Get("Content-Security-Policy")
		if a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("Referrer-Policy") != "same-origin" ||
			!strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: %v", r.path, a.Header)
		}
	}
}

func TestH041HostHeader(t *testing.T) {
	s := newSite(t, change{api: func(a *Settings) { a.BaseURL = "https://api.example.com/" }})
	evil := []string{"Host", "evil.invalid", "X-Forwarded-Host", "evil.invalid", "X-Forwarded-Proto", "gopher", "Forwarded", "host=evil.invalid"}
	want(t, "links", s.ask("GET", "/auth/", "", evil...), 200, `{"users":"https://api.example.com/auth/users/"}`)
	s.ask("POST", "/auth/users/reset_password/", object("email", "alice@example.com"), evil...)
	if messages := s.messages(); len(messages) != 1 || strings.Contains(fmt.Sprint(messages), "evil") {
		t.Errorf("%v", messages)
	}
	s = newSite(t, change{api: func(a *Settings) { a.AllowedHosts = []string{"api.example.com", ".example.org"} }})
	for host, status := range map[string]int{
		"api.example.com": 200, "API.example.com:8000": 200, "a.example.org": 200, "example.org": 200, "evil.invalid": 400, "api.example.com.evil.invalid": 400,
		"evilexample.org": 400, "": 400, "api.example.com@evil.invalid": 400,
	} {
		if a := s.ask("GET", "/auth/", "", "Host", host); a.Status != status {
			t.Errorf("%q: %d", host, a.Status)
		}
	}
}

// The forms in which people write hosts: Django's list has [::1] in brackets.
func TestAllowedHostsAsWritten(t *testing.T) {
	allowed := []string{"[::1]", "2001:DB8:0::1", "API.Example.com", ".MÜNCHEN.example", "under_score"}
	s := newSite(t, change{api: func(a *Settings) { a.AllowedHosts = allowed }})
	for host, status := range map[string]int{
		"[::1]": 200, "[::1]:8000": 200, "[2001:db8::1]": 200, "api.example.com:8443": 200, "xn--mnchen-3ya.example": 200, "a.xn--mnchen-3ya.example": 200,
		"under_score:80": 200, "[::2]": 400, "127.0.0.1": 400,
	} {
		if a := s.ask("GET", "/auth/", "", "Host", host); a.Status != status {
			t.Errorf("%q: %d", host, a.Status)
		}
	}
	if allowed[0] != "[::1]" {
		t.Error("the settings of the caller were changed")
	}
	gate := jotgatetest.New(t)
	for _, host := range []string{"api.example.com:8000", "[::1]:8000", "https://api.example.com", "*", "*.example.com", "", "."} {
		if _, err := New(gate.Gate, Settings{AllowedHosts: []string{host}}); err == nil || !strings.Contains(err.Error(), "AllowedHosts") {
			t.Errorf("%q: %v", host, err)
		}
	}
	for origin, fits := range map[string]bool{"http://[::1]:3000": true, "http://[0::1]:3000": false, "https://[2001:DB8::1]": false} {
		if _, err := New(gate.Gate, Settings{CORSOrigins: []string{origin}}); (err == nil) != fits {
			t.Errorf("%q: %v", origin, err)
		}
	}
}
