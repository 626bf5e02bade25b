package gateways

// An application whose users sign in on jotgate's pages, behind nginx and Caddy, behind jotgate, and behind Apache, lighttpd
// and HAProxy with jotgate between them and the application.

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/client"
	"github.com/jotgate/jotgate/interop/peer"
)

// withPages runs a test before each gateway that has a file for pages, and before jotgate's own proxy.
func withPages(t *testing.T, test func(t *testing.T, f *front)) {
	pages := []string{"--login-pages", "--step-up", "/payments/=aal2+10m"}
	for name, start := range map[string]func(t testing.TB, f *front){
		"nginx": func(t testing.TB, f *front) {
			f.ask(t)
			f.staff = f.address // there is one address
			folder := f.files(t, "nginx-pages.conf", "nginx-identity.conf")
			f.listens(t, peer.Serve(t, peer.Nginx(folder, "nginx-pages.conf")))
		},
		"caddy": func(t testing.TB, f *front) {
			f.ask(t)
			f.staff = f.address // there is one address
			folder := f.files(t, "Caddyfile-pages", "caddy-strip.conf")
			f.listens(t, peer.Serve(t, peer.Caddy(folder, "Caddyfile-pages")))
		},
		"jotgate":  func(t testing.TB, f *front) { startProxy(t, f, pages...) },
		"apache":   func(t testing.TB, f *front) { startBefore(t, f, "apache.conf", apache, pages...) },
		"lighttpd": func(t testing.TB, f *front) { startBefore(t, f, "lighttpd.conf", lighttpd, pages...) },
		"haproxy":  func(t testing.TB, f *front) { startBefore(t, f, "haproxy-pages.cfg", haproxy, pages...) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newAPI(t)
			f := &front{name: name, behind: api.address, api: api}
			f.options.Args = []string{"--access-token-lifetime", "1s"} // after which a cookie is replaced
			start(t, f)
			test(t, f)
		})
	}
}

// next is a path as the gateway writes it into the address of a page: nginx and Caddy cannot encode it.
func (f *front) next(path string) string {
	if f.name == "nginx" || f.name == "caddy" {
		return path
	}
	return url.QueryEscape(path)
}

// A person signs in on the way to a page, and gets there; the application is told who it
// is, and not by the cookie.
func TestPersonSignsIn(t *testing.T) {
	withPages(t, func(t *testing.T, f *front) {
		b, base := newBrowser(t), "http://"+f.address
		if made := client.Post(t, base+"/auth/users/", "username", "bob", "password", "correct-horse-1"); made.Status != 201 {
			t.Fatalf("sign-up: %d %v", made.Status, made.Body)
		}
		const target = "/deep/page?x=1&y=%2F"
		to := b.get(base+target, 303)
		if to != "/account/login?next="+f.next(target) {
			t.Fatalf("without a session: to %s", to)
		}
		for name, change := range map[string]func(*http.Request){
			"a program":    func(r *http.Request) { r.Header.Set("Accept", "*/*") },
			"a script":     func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "cors") },
			"a form":       func(r *http.Request) { r.Method = "POST" },
			"a bad token":  func(r *http.Request) { r.Header.Set("Authorization", "Bearer x.y.z"); r.Header.Set("Accept", "*/*") },
			"other cookie": func(r *http.Request) { r.Header.Set("Cookie", "jotgate=AAAA"); r.Header.Set("Accept", "*/*") },
		} {
			if response := b.send(base+target, change); response.StatusCode != 401 {
				t.Errorf("%s: %d", name, response.StatusCode)
			}
		}
		if got := f.api.take(); len(got) != 0 {
			t.Fatalf("without a session the application saw %v", got)
		}

		form := url.Values{"username": {"bob"}, "password": {"correct-horse-1"}}
		if to := b.post(base+to, form); to != target {
			t.Fatalf("after the login: to %s", to)
		}
		b.get(base+target, 200, "Cookie", "theme=dark")
		got := f.api.take()
		if len(got) != 1 || got[0].target != target {
			t.Fatalf("the application saw %v", got)
		}
		bob := got[0].identity()
		if bob["user"] != "bob" || bob["id"] == "" || bob["role"] != "user" {
			t.Errorf("it is told of %v", bob)
		}
		if cookies := got[0].cookies(); cookies != "theme=dark" {
			t.Errorf("it gets the cookies %q", cookies)
		}

		if f.name != "caddy" {
			wait.Until(t, "the cookie is replaced", func() bool {
				response := b.send(base+target, func(*http.Request) {})
				return response.StatusCode == 200 && strings.HasPrefix(response.Header.Get("Set-Cookie"), "__Host-jotgate=")
			})
			f.api.take()
		}

		// Nobody else says who the user is.
		for _, name := range []string{"X-Auth-User", "x-auth-id", "X_Auth_User", "X-Auth-Groups", "X-Auth-Actor", "X_Auth_Email", "X-Auth-Session"} {
			b.get(base+"/", 200, name, "root")
			for _, s := range f.api.take() {
				if diff := cmp.Diff(bob, s.identity()); diff != "" {
					t.Errorf("%s: the application reads (-want +got)\n%s", name, diff)
				}
			}
		}
		// A page of another origin cannot use the session.
		own, foreign := "http://"+f.address, "https://evil.example"
		for _, row := range []struct {
			method, origin, site string
			status               int
		}{
			{"POST", own, "same-origin", 200},
			{"POST", foreign, "cross-site", 403},
			{"POST", foreign, "", 403},
			{"GET", foreign, "cross-site", 403},
		} {
			response := b.send(base+"/change", func(r *http.Request) {
				r.Method = row.method
				r.Header.Set("Origin", row.origin)
				r.Header.Set("Sec-Fetch-Mode", "cors")
				if row.site != "" {
					r.Header.Set("Sec-Fetch-Site", row.site)
				}
			})
			if got := f.api.take(); response.StatusCode != row.status || (len(got) == 1) != (row.status == 200) {
				t.Errorf("%+v: %d, the application saw %v", row, response.StatusCode, got)
			}
		}
		// Out again.
		b.post(base+"/account/logout", nil)
		b.get(base+target, 303)
		if got := f.api.take(); len(got) != 0 {
			t.Errorf("after the logout the application saw %v", got)
		}
	})
}

// The cookies of jotgate do not reach the application, however many there are, and all
// others do.
func TestCookiesForTheApplication(t *testing.T) {
	withPages(t, func(t *testing.T, f *front) {
		for sent, want := range map[string]string{
			"a=1":                        "a=1",
			"a=1; b=2":                   "a=1; b=2",
			"jotgate=x":                  "",
			"jotgate=x; a=1":             "a=1",
			"a=1; jotgate=x":             "a=1",
			"a=1; __Host-jotgate=x; b=2": "a=1; b=2",
			"a=1;jotgate-lang=de;b=2":    "a=1; b=2",
			"myjotgate=1; jotgates=2":    "myjotgate=1; jotgates=2",
			"a=jotgate=1; b=2":           "a=jotgate=1; b=2",
			"jotgate=x; jotgate-lang=de; __Host-jotgate-login=z; a=1":                  "a=1",
			"a=1; jotgate-lang=de; b=2; jotgate=x; c=3; __Secure-jotgate-login=z; d=4": "a=1; b=2; c=3; d=4",
		} {
			status, _, _ := send(t, f.address, "GET /x HTTP/1.1\nAuthorization: Bearer "+token(t, nil)+"\nCookie: "+sent, "")
			got := f.api.take()
			if status != 200 || len(got) != 1 {
				t.Fatalf("%s: %d, the application saw %v", sent, status, got)
			}
			if cookies := got[0].cookies(); cookies != want {
				t.Errorf("%s becomes %s, want %s", sent, cookies, want)
			}
		}
	})
}

// cookies are those that the application reads out of the request.
func (s seen) cookies() string {
	var all []string
	for _, c := range (&http.Request{Header: s.header}).Cookies() {
		all = append(all, c.Name+"="+c.Value)
	}
	return strings.Join(all, "; ")
}

// Where two factors are demanded, a token without them is refused, and a person is sent
// to the page that asks for them.
func TestStepUpBehindAGateway(t *testing.T) {
	withPages(t, func(t *testing.T, f *front) {
		b, page := newBrowser(t), "/account/again?acr=aal2&next="
		if f.name != "nginx" && f.name != "caddy" {
			page = "/account/login?next=" // which a browser without a session needs first
		}
		if to := b.get("http://"+f.address+"/payments/7?x=1", 303); to != page+f.next("/payments/7?x=1") {
			t.Errorf("a person is sent to %s", to)
		}
		now := time.Now().Unix()
		for name, row := range map[string]struct {
			claims map[string]any
			status int
		}{
			"two factors, now":   {map[string]any{"acr": "aal2", "auth_time": now}, 200},
			"two factors, early": {map[string]any{"acr": "aal2", "auth_time": now - 700}, 401},
			"one factor":         {map[string]any{"acr": "aal1", "auth_time": now}, 401},
			"unknown":            {nil, 401},
		} {
			bearer := token(t, func(claims map[string]any) {
				for name, value := range row.claims {
					claims[name] = value
				}
			})
			status, _, text := send(t, f.address, "GET /payments/7?x=1 HTTP/1.1\nAuthorization: Bearer "+bearer, "")
			if got := f.api.take(); status != row.status || (len(got) == 1) != (status == 200) {
				t.Errorf("%s: %d %s, the application saw %v", name, status, text, got)
			}
		}
	})
}

// What was tried on other gateways reaches nothing without a session, and nothing reaches
// the application while jotgate does not respond.
func TestNothingPassesWithoutASession(t *testing.T) {
	withPages(t, func(t *testing.T, f *front) {
		for _, a := range attacks(t) {
			if strings.Contains(a.head, "Authorization: Bearer ey") {
				continue // with a valid token: TestAttacks
			}
			status, _, _ := send(t, f.address, a.head, a.body)
			if got := f.api.take(); len(got) != 0 {
				t.Errorf("%s: answered %d, and the application saw %v", a.title, status, got)
			}
		}
		head := "GET /x HTTP/1.1\nAuthorization: Bearer " + token(t, nil)
		if status, _, _ := send(t, f.address, head, ""); status != 200 || len(f.api.take()) != 1 {
			t.Fatalf("with a token: %d", status)
		}
		if f.name == "jotgate" {
			return // nothing responds when it is stopped
		}
		_ = f.jotgate.Stop()
		for _, path := range []string{"/x", "/payments/x"} {
			status, _, _ := send(t, f.address, strings.Replace(head, "/x", path, 1), "")
			if got := f.api.take(); status < 500 || status > 504 || len(got) != 0 {
				t.Errorf("%s with jotgate stopped: %d, the application saw %v", path, status, got)
			}
		}
	})
}

// A browser keeps cookies and follows no redirect.
type browser struct {
	t      *testing.T
	client *http.Client
}

func newBrowser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// send opens a page, as a person does, but for the changes.
func (b *browser) send(address string, change func(*http.Request)) *http.Response {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	change(request)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response
}

// get opens a page with these headers, which must have the status, and returns where it leads.
func (b *browser) get(address string, status int, headers ...string) string {
	b.t.Helper()
	response := b.send(address, func(r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			r.Header[headers[i]] = []string{headers[i+1]} // spelt as it is
		}
	})
	if response.StatusCode != status {
		b.t.Fatalf("%s: %d, want %d", address, response.StatusCode, status)
	}
	return response.Header.Get("Location")
}

// post sends a form of jotgate's pages, and returns where the response leads.
func (b *browser) post(address string, form url.Values) string {
	b.t.Helper()
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", request.URL.Scheme+"://"+request.URL.Host)
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%s: %d", address, response.StatusCode)
	}
	return response.Header.Get("Location")
}
