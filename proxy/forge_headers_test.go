package proxy_test

// Headers that a client forges, sent over a connection, on every kind of request.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
	"github.com/jotgate/jotgate/proxy"
)

const punctuation = "!#$%&'*+-.^_`|~"

// forgeries are header lines whose names fold, or nearly fold, to what only the
// proxy may say.
func forgeries() []string {
	var lines []string
	for _, name := range []string{
		"X-Auth-User", "X-Auth-Id", "X-Auth-Role", "X-Auth-Email", "X-Auth-Groups", "X-Auth-Session", "X-Auth-Actor", "X-Forwarded-For",
		"X-Forwarded-Proto", "Forwarded", "X-Real-IP", "Remote-User", "True-Client-IP", "X-Original-URL", "X-HTTP-Method-Override",
	} {
		for _, c := range strings.Split(punctuation, "") {
			all := []string{name, c + name, name + c, strings.ReplaceAll(name, "-", c)}
			for at := range len(name) {
				if name[at] == '-' {
					all = append(all, name[:at]+c+name[at+1:], name[:at]+c+name[at:], name[:at+1]+c+name[at+1:])
				}
			}
			for _, spelling := range all {
				for _, letters := range []string{spelling, strings.ToLower(spelling), strings.ToUpper(spelling)} {
					lines = append(lines, letters+": forged")
				}
			}
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

// forgedIn lists the headers that arrived with a forged value.
func forgedIn(h http.Header) (names []string) {
	for name, values := range h {
		if strings.Contains(strings.Join(values, ","), "forged") {
			names = append(names, name)
		}
	}
	return names
}

func TestForgedHeaders(t *testing.T) {
	gate := start(t, upstream, nil)
	forged := "\n" + strings.Join(forgeries(), "\n")
	bearer := "\nAuthorization: Bearer " + token(t, "alice")
	for name, head := range map[string]string{
		"protected":                    "GET /api/x HTTP/1.1" + bearer + forged,
		"protected, forgeries first":   "GET /api/x HTTP/1.1" + forged + bearer,
		"open, without a token":        "GET /public HTTP/1.1" + forged,
		"open, with a token":           "GET /public HTTP/1.1" + bearer + forged,
		"change to WebSocket":          "GET /api/x HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket" + bearer + forged,
		"open change to WebSocket":     "GET /public HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket" + forged,
		"named in Connection":          "GET /api/x HTTP/1.1\nConnection: X-Auth-User, X-Auth-Role, X-Auth-Id, X-Forwarded-For" + bearer + forged,
		"named in Connection, open":    "GET /public HTTP/1.1\nConnection: X-Auth-User, X.Auth.User, X-Forwarded-For" + forged,
		"named in Connection, upgrade": "GET /api/x HTTP/1.1\nConnection: Upgrade, X-Auth-User\nUpgrade: websocket" + bearer + forged,
		"HTTP/1.0":                     "GET /public HTTP/1.0" + forged,
	} {
		res, s := send(t, gate, head)
		if res.StatusCode != 200 || s.Path == "" {
			t.Fatalf("%s: %d", name, res.StatusCode)
		}
		if got := forgedIn(s.Header); len(got) > 0 {
			t.Errorf("%s: the upstream is told %q", name, got)
		}
		if protected := strings.HasPrefix(s.Path, "/api/"); s.Header.Get("X-Auth-User") != map[bool]string{true: "alice"}[protected] {
			t.Errorf("%s: X-Auth-User is %q", name, s.Header.Get("X-Auth-User"))
		}
		if s.Header.Get("X-Forwarded-For") != "127.0.0.1" {
			t.Errorf("%s: X-Forwarded-For is %q", name, s.Header.Get("X-Forwarded-For"))
		}
	}
}

// Over HTTP/2 names arrive in lower case and pass through other code of net/http.
func TestForgedHeadersHTTP2(t *testing.T) {
	gate := unstarted(t, upstream, nil)
	gate.EnableHTTP2 = true
	gate.StartTLS()
	for _, path := range []string{"/public", "/api/x"} {
		r, err := http.NewRequest(http.MethodGet, gate.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token(t, "alice"))
		for _, line := range forgeries() {
			name, value, _ := strings.Cut(line, ": ")
			r.Header[name] = []string{value}
		}
		res, err := gate.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var s seen
		if err := json.NewDecoder(res.Body).Decode(&s); err != nil || res.ProtoMajor != 2 || s.Path != path {
			t.Fatalf("%s: %v %v %+v", path, res.Proto, err, s)
		}
		if got := forgedIn(s.Header); len(got) > 0 {
			t.Errorf("%s: the upstream is told %q", path, got)
		}
	}
}

// A trailer never reaches the upstream, announced or not: some servers merge
// trailers into the headers.
func TestForgedTrailers(t *testing.T) {
	type arrived struct{ body, trailer string }
	seen := make(chan arrived, 1)
	gate := start(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen <- arrived{string(body), fmt.Sprint(r.Trailer, r.Header["Trailer"])}
	}, nil)
	for _, path := range []string{"/public", "/api/x"} {
		for _, announced := range []string{"", "\nTrailer: X-Auth-User", "\nTrailer: X-Auth-User, X.Auth.Role, Digest"} {
			c := dial(t, gate)
			c.say("POST "+path+" HTTP/1.1\nTransfer-Encoding: chunked\nAuthorization: Bearer "+token(t, "alice")+announced,
				"2\r\nok\r\n0\r\nX-Auth-User: forged\r\nX.Auth.Role: admin\r\nDigest: x\r\n\r\n")
			if res, _ := c.hear(t); res.StatusCode != 200 {
				t.Fatalf("%s%s: %d", path, announced, res.StatusCode)
			}
			if got := wait.For(t, "the request arrives", seen); got != (arrived{"ok", "map[] []"}) {
				t.Errorf("%s%s: the upstream saw %+v", path, announced, got)
			}
		}
	}
}

// An informational response before the final one changes nothing about the request.
func TestForgedHeadersBeforeAnInformationalResponse(t *testing.T) {
	gate := start(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.Copy(io.Discard, r.Body) // sends 100 Continue
		upstream(w, r)
	}, nil)
	c := dial(t, gate)
	c.say("POST /public HTTP/1.1\nExpect: 100-continue\nContent-Length: 2\nX.Auth.User: forged\nX-Auth-User: forged\nX-Real-IP: forged", "ok")
	for {
		res, body := c.hear(t)
		if res.StatusCode < 200 {
			continue
		}
		if res.StatusCode != 200 || strings.Contains(body, "forged") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
		return
	}
}

// The header of the token passes whatever the table says of its name, and no
// other spelling of it does.
func TestTokenInAHeaderOfItsOwn(t *testing.T) {
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key, HeaderName: "X-Auth-Token"})
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range []bool{false, true} {
		gate := unstartedWith(t, guard, upstream, func(s *proxy.Settings) { s.DropToken = drop })
		gate.Start()
		good := "Bearer " + token(t, "alice")
		res, s := send(t, gate, "GET /api/x HTTP/1.1\nX-Auth-Token: "+good+"\nX.Auth.Token: forged\nX_Auth_Token: forged")
		want := map[bool]string{false: good}[drop]
		if res.StatusCode != 200 || s.Header.Get("X-Auth-Token") != want || s.Header.Get("X-Auth-User") != "alice" || len(forgedIn(s.Header)) > 0 {
			t.Errorf("DropToken %v: %d %v", drop, res.StatusCode, s.Header)
		}
	}
}

// Headers in which known programs read who the client is, how it came or what it asked
// for, when a gateway before them has written these.
func TestHeadersOfOtherGateways(t *testing.T) {
	gate := start(t, upstream, nil)
	for program, names := range map[string]string{
		"the nginx of oauth2-proxy's documentation": "X-User X-Email",
		"AWS Lambda Web Adapter":                    "X-Amzn-Request-Context X-Amzn-Lambda-Context",
		"aws-serverless-express":                    "X-ApiGateway-Event X-ApiGateway-Context",
		"Grafana Loki, Mimir and Tempo":             "X-Scope-OrgID",
		"Kubernetes":                                "Impersonate-User Impersonate-Group Impersonate-Extra-Scopes",
		"Shibboleth and Mellon":                     "Shib-Session-Id Shib-Identity-Provider Eppn Mellon-User",
		"phpMyAdmin":                                "Scheme Https-From-Lb",
		"others":                                    "X-Userid X-Role X-Roles X-Groups Https X-Protocol X-Request-Url X-Request-Method",
	} {
		for name := range strings.FieldsSeq(names) {
			for _, path := range []string{"/public", "/api/x"} {
				res, s := send(t, gate, "GET "+path+" HTTP/1.1\nAuthorization: Token "+token(t, "alice")+"\n"+name+": forged")
				if res.StatusCode != 200 || s.Header.Get(name) != "" {
					t.Errorf("%s, %s: %d, the upstream sees %s: %q", path, program, res.StatusCode, name, s.Header.Get(name))
				}
			}
		}
	}
}
