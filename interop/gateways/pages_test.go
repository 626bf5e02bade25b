package gateways

// Pages of another origin, and what the gateways tell the API about the client.

import (
	"strings"
	"testing"
)

// page is the origin that the examples list.
const page = "https://app.example.com"

// A page of a listed origin gets its preflights answered without a token, and can read
// every response; of another origin it gets neither.
func TestPagesOfAnotherOrigin(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		bearer := "\nAuthorization: Bearer " + token(t, nil)
		for _, path := range []string{"/api/things?x=1", "/auth/users/me/", "/api/token/"} {
			preflight := "OPTIONS " + path + " HTTP/1.1\nAccess-Control-Request-Method: DELETE\nAccess-Control-Request-Headers: authorization,content-type\nX-Auth-User: forged\nOrigin: "
			status, header, text := send(t, f.address, preflight+page, "")
			allowed := strings.ToLower(header.Get("Access-Control-Allow-Headers"))
			if status < 200 || status > 299 || strings.Join(header.Values("Access-Control-Allow-Origin"), "|") != page ||
				!strings.Contains(header.Get("Access-Control-Allow-Methods"), "DELETE") || !strings.Contains(allowed, "authorization") {
				t.Errorf("preflight of %s: %d %v %s", path, status, header, text)
			}
			if seen := f.api.take(); len(seen) != 0 {
				t.Errorf("the preflight of %s reaches the API: %v", path, seen)
			}
			_, header, _ = send(t, f.address, preflight+"https://evil.example", "")
			if got := header.Get("Access-Control-Allow-Origin"); got != "" && got != "*" || strings.Contains(strings.ToLower(header.Get("Access-Control-Allow-Headers")), "authorization") {
				t.Errorf("preflight of %s for another origin: %v", path, header)
			}
			for _, s := range f.api.take() {
				if len(s.identity()) != 0 {
					t.Errorf("the API believes a preflight that it is from %v", s.identity())
				}
			}
		}
		for name, row := range map[string]struct {
			head   string
			status int
		}{
			"with a token":       {"GET /api/things HTTP/1.1" + bearer, 200},
			"without a token":    {"GET /api/things HTTP/1.1", 401},
			"with a bad token":   {"GET /api/things HTTP/1.1\nAuthorization: Bearer x.y.z", 401},
			"when the API fails": {"GET /api/503 HTTP/1.1" + bearer, 503},
			"a bad login":        {"POST /api/token/ HTTP/1.1\nContent-Length: 0", 400},
		} {
			status, header, _ := send(t, f.address, row.head+"\nOrigin: "+page, "")
			if status != row.status || strings.Join(header.Values("Access-Control-Allow-Origin"), "|") != page || !strings.Contains(strings.Join(header.Values("Vary"), ","), "Origin") {
				t.Errorf("%s: %d %v", name, status, header)
			}
			if exposed := strings.ToLower(strings.Join(header.Values("Access-Control-Expose-Headers"), ",")); !strings.Contains(exposed, "retry-after") {
				t.Errorf("%s exposes %q", name, exposed)
			}
			_, header, _ = send(t, f.address, row.head+"\nOrigin: https://evil.example", "")
			if got := header.Get("Access-Control-Allow-Origin"); got != "" && (row.status == 401 || got != "*") {
				t.Errorf("%s, for another origin: %q", name, got)
			}
		}
	})
}

// What looks like a preflight opens nothing: without a token no request reaches the API
// with an identity, or with another method.
func TestPreflightsOpenNothing(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		for _, head := range []string{
			"GET /api/things HTTP/1.1\nAccess-Control-Request-Method: GET\nOrigin: " + page,
			"POST /api/things HTTP/1.1\nContent-Length: 0\nAccess-Control-Request-Method: GET\nOrigin: " + page,
			"OPTIONS /api/things HTTP/1.1\nOrigin: " + page,
			"OPTIONS /api/things HTTP/1.1\nAccess-Control-Request-Method: GET",
		} {
			if status, _, text := send(t, f.address, head, ""); status != 401 {
				t.Errorf("%s: %d %s", head, status, text)
			}
		}
		if seen := f.api.take(); len(seen) != 0 {
			t.Errorf("the API saw %v", seen)
		}
	})
}

// The API is told the client's address and host, and how it connected, once each and
// whatever the client claims.
func TestTheClientIsReported(t *testing.T) {
	each(t, func(t *testing.T, f *front) {
		status, _, text := send(t, f.address, "GET /api/things HTTP/1.1\nHost: shop.example\nAuthorization: Bearer "+token(t, nil)+
			"\nX-Forwarded-For: 6.6.6.6\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil.example\nForwarded: for=6.6.6.6;proto=https", "")
		all := f.api.take()
		if status != 200 || len(all) != 1 {
			t.Fatalf("%d %s", status, text)
		}
		for name, want := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "shop.example", "Forwarded": ""} {
			if got := strings.Join(all[0].header.Values(name), "|"); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}
