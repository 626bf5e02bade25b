package api

// The tables of docs/credentials.md: which credential opens what.

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/admin"
	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/internal/credentials"
	"github.com/jotgate/jotgate/pages"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/record"
)

// place is an endpoint, a page or an integration: a row of a table.
type place struct {
	name         string
	method, path string
	page         bool
	form         string // the body, if it takes a form
	handler      http.Handler
	alter        func(*http.Request)
}

// The cells of the tables.
const (
	opens      = "yes"
	unread     = "–"     // the credential is not read
	not401     = "no"    // 401, or the login page
	refused    = "403"   // 403 permission_denied, unless a login gets the same
	needsScope = "scope" // 403 insufficient_scope
	needsLogin = "login" // 403 login_required
	needsSelf  = "own"   // 403 impersonated
	needsAgain = "again" // 401 insufficient_user_authentication, or the page for that
	isSignedIn = "home"  // the profile page
)

// request returns a request with these headers, which has a User-Agent of its own: a form
// that a browser sends twice gets one response.
func (p *place) request(headers []string, n int) *http.Request {
	body, media := "{}", "application/json"
	if p.page || p.form != "" {
		body, media = p.form, "application/x-www-form-urlencoded"
	}
	if p.method == "GET" || p.method == "DELETE" {
		body = ""
	}
	r := httptest.NewRequest(p.method, p.path, strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("User-Agent", fmt.Sprintf("matrix/%d", n))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if p.alter != nil {
		p.alter(r)
	}
	return r
}

// send returns what the place does with a request.
func (p *place) send(r *http.Request) (status int, cell string) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	text := w.Body.String() + w.Header().Get("WWW-Authenticate")
	for part, cell := range map[string]string{ // in a refusal
		"insufficient_scope": needsScope, `"login_required"`: needsLogin, `"impersonated"`: needsSelf, "insufficient_user_authentication": needsAgain,
		"This is not possible while you act for another user.": needsSelf,
	} {
		if (w.Code == 401 || w.Code == 403) && strings.Contains(text, part) {
			return w.Code, cell
		}
	}
	to, _, _ := strings.Cut(w.Header().Get("Location"), "?")
	switch {
	case w.Code == 401 && !strings.Contains(text, "no_active_account"), to == "/account/login":
		return w.Code, not401
	case w.Code == 403:
		return w.Code, refused
	case to == "/account/again":
		return w.Code, needsAgain
	case to == "/account/" && p.path != "/account/":
		return w.Code, isSignedIn
	case w.Code >= 500, w.Code == http.StatusTooManyRequests:
		return w.Code, w.Body.String()
	}
	return w.Code, opens
}

// matrixSite is a site whose every route is served and whose alice is a superuser.
func matrixSite(t *testing.T) *site {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.Providers, g.AppRedirects = appProviders(), []string{appOrigin}
		g.ServeRevocations, g.LoginCodes, g.RPID, g.RPOrigins = true, true, "example.com", []string{"https://example.com", "https://example.de"}
		g.Audience = []string{credentials.Audience}
	}, api: func(a *Settings) {
		for _, scope := range []string{"refresh", "links", "revocations"} {
			a.Rates[scope] = ""
		}
	}})
	s.changeAlice(record.Change{IsStaff: new(true), IsSuperuser: new(true)})
	s.remote = s.newRemoteGuard()
	return s
}

// integrations are the ways to protect handlers of a program.
func integrations(t testing.TB, s *site) (list []place) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	upstream := httptest.NewServer(ok)
	t.Cleanup(upstream.Close)
	forward, err := proxy.New(s.gate.Guard, proxy.Settings{Upstream: upstream.URL, Protect: []string{"/private/"}, StepUp: map[string][]jotgate.Requirement{"/private/recent/": {jotgate.Fresh(time.Minute)}}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, path string, h http.Handler, alter func(*http.Request)) {
		list = append(list, place{name: name, method: "GET", path: path, handler: h, alter: alter})
	}
	for _, g := range []struct {
		name string
		*jotgate.Guard
	}{{"gate", s.gate.Guard}, {"guard in another process", s.remote}} {
		add(g.name+": `Require`, `RequireUser`, `RequireStaff`", "/", g.Require(ok), nil)
		add(g.name+": `Require`, the token as a WebSocket subprotocol", "/", g.Require(ok), asSocket)
		add(g.name+": `Optional`", "/", g.Optional(ok), nil)
		add(g.name+": `RequireScope(\"orders:read\")`", "/", g.RequireScope("orders:read")(ok), nil)
		add(g.name+": `RequireAudience(…)`", "/", g.RequireAudience(credentials.Audience)(ok), nil)
		add(g.name+": `RequireAuth(jotgate.Fresh(…))`", "/", g.RequireAuth(jotgate.Fresh(time.Minute))(ok), nil)
		add(g.name+": `NotImpersonated`", "/", g.Require(jotgate.NotImpersonated(ok)), nil)
	}
	add("proxy: a protected path", "/private/x", forward, nil)
	add("proxy: a path of `StepUp`", "/private/recent/x", forward, nil)
	add("proxy: another path", "/public", forward, nil)
	for _, query := range []string{"scope=orders:read", "audience=" + credentials.Audience, "staff=true", "max_age=60"} {
		add("GET `/auth/check?"+strings.Replace(query, credentials.Audience, "…", 1)+"`", "/auth/check?"+query, s.API, nil)
	}
	return list
}

// forms are the bodies for endpoints that take a form.
var forms = map[string]string{"/o/token/": "grant_type=client_credentials", "/o/introspect/": "token=x", "/o/revoke/": "token=x"}

// endpoints are those of the code's own list of routes.
func endpoints(s *site) (list []place) {
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", string(s.account("alice").ID), "{file}", "docs.js").Replace(r.path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if action, _ := r.action(method); action != nil {
				list = append(list, place{name: method + " `" + r.path + "`", method: method, path: path, form: forms[r.path], handler: s.API})
			}
		}
	}
	return list
}

// mounted returns the patterns of a mux, without those that only differ by the slash at
// their end. It reads what net/http does not export: a route that no test knows of is
// found, however a package registers it.
func mounted(t testing.TB, mux *http.ServeMux) (list []string) {
	t.Helper()
	index := reflect.ValueOf(mux).Elem().FieldByName("index")
	add := func(patterns reflect.Value) {
		for i := range patterns.Len() {
			list = append(list, patterns.Index(i).Elem().FieldByName("str").String())
		}
	}
	add(index.FieldByName("multis"))
	for _, key := range index.FieldByName("segments").MapKeys() {
		add(index.FieldByName("segments").MapIndex(key))
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return slices.DeleteFunc(list, func(pattern string) bool {
		_, found := slices.BinarySearch(list, pattern+"/{$}")
		return found
	})
}

// browsed are the pages, and the administration as pages and as JSON.
func browsed(t testing.TB, s *site) (list []place) {
	p, err := pages.New(s.gate, pages.Options{API: s.API, Welcome: true})
	if err != nil {
		t.Fatal(err)
	}
	a, err := admin.New(s.gate, admin.Options{Pages: p, API: s.API, SetPasswords: true})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	p.Mount(mux)
	a.Mount(mux)
	for _, pattern := range mounted(t, mux) {
		name := strings.TrimSuffix(pattern, "{$}")
		if strings.HasSuffix(pattern, "/") {
			name = pattern + "…" // 404
		}
		path := strings.NewReplacer("{id}", "999999", "{provider}", "unknown", "{file}", "style.css", "…", "other").Replace(name)
		for _, method := range methodsOf(mux, path) {
			list = append(list, place{name: method + " `" + name + "`", method: method, path: path, page: !strings.HasPrefix(path, "/admin/api/"), handler: mux})
		}
	}
	return list
}

// methodsOf returns those that the response lists.
func methodsOf(h http.Handler, path string) (list []string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	for _, method := range []string{"GET", "POST"} {
		if allow := w.Header().Get("Allow"); strings.Contains(allow, method) || allow == "" && method == "GET" {
			list = append(list, method)
		}
	}
	return list
}

// TestEveryRouteHasARow compares the routes of the table with those that are registered.
func TestEveryRouteHasARow(t *testing.T) {
	s := matrixSite(t)
	mux := http.NewServeMux()
	s.Mount(mux)
	var known []string
	for _, p := range endpoints(s) {
		_, pattern := mux.Handler(httptest.NewRequest(p.method, p.path, nil))
		known = append(known, pattern)
	}
	all := mounted(t, mux)
	for _, pattern := range all {
		if !slices.Contains(known, pattern) {
			t.Errorf("%s has no row", pattern)
		}
	}
	if len(all) < 60 {
		t.Errorf("%d routes", len(all))
	}
}

// TestCredentials sends every kind of credential, in each way in which a client can send
// it, to every endpoint and page and through every integration, and compares what happens
// with the tables of docs/credentials.md. A route that is added later takes part by itself.
// UPDATE_DOCS=1 writes the tables. interop/gateways sends the same through gateways.
func TestCredentials(t *testing.T) {
	var all matrix
	t.Run("kinds", func(t *testing.T) {
		for i, kinds := range slices.Collect(slices.Chunk(credentials.Kinds(), 14)) { // most requests wait for something
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				all.fill(matrixSite(t), kinds)
			})
		}
		t.Run("accepted", func(t *testing.T) {
			t.Parallel()
			s := matrixSite(t)
			s.tokens = authTokens{}
			authtoken.Accept(s.gate, s.tokens)
			all.fill(s, credentials.Accepted())
		})
	})
	for _, row := range all.cells {
		for _, c := range []credentials.Column{credentials.Login, credentials.Browser} {
			if row[c] == refused { // the user lacks a right, or a factor
				row[c] = opens
			}
		}
		if !slices.ContainsFunc(row, func(cell string) bool { return cell != row[credentials.None] }) {
			for i := range row {
				row[i] = unread
			}
		}
	}
	compareDocs(t, all.places, all.cells)
}

// matrix has the cells of several sites, which fill them at the same time.
type matrix struct {
	mu     sync.Mutex
	places []place
	cells  [][]string
}

// meet stores the value of a cell that has none, and returns the value of the cell.
func (all *matrix) meet(place int, column credentials.Column, got string) (wanted string) {
	all.mu.Lock()
	defer all.mu.Unlock()
	cell := &all.cells[place][column]
	*cell = cmp.Or(*cell, got)
	return *cell
}

// begin stores the places, which are the same for each site.
func (all *matrix) begin(t testing.TB, places []place) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.places == nil {
		all.places, all.cells = places, make([][]string, len(places))
		for i := range places {
			all.cells[i] = make([]string, credentials.Columns)
		}
	}
	if !slices.EqualFunc(places, all.places, func(a, b place) bool { return a.name == b.name }) {
		t.Fatal("the sites have different places")
	}
}

// fill sends each kind of credential to each place of the site, and fills the cells of its
// column.
func (all *matrix) fill(s *site, kinds []credentials.Kind) {
	places := slices.Concat(integrations(s.t, s), endpoints(s), browsed(s.t, s))
	all.begin(s.t, places)
	n := 0
	for _, k := range kinds {
		ways := k.Present(s.credentials())
		s.settle()
		for i := range places {
			p := &places[i]
			for w := range ways {
				if p.alter != nil && (k.Column == credentials.KeyWith || k.Column == credentials.KeyWithout) && w > 0 {
					continue // only a Bearer token can be a subprotocol
				}
				n++
				status, got := p.send(p.request(ways[w], n))
				if wanted := all.meet(i, k.Column, got); wanted != got {
					s.t.Errorf("%s: %s (%.30s …): %d %q, want %q as of others in the column %q",
						p.name, k.Name, strings.Join(ways[w], ": "), status, got, wanted, k.Column)
				}
				if status < 400 && p.mayEnd() {
					s.now.turn(2 * time.Second)
					ways = k.Present(s.credentials())
					s.settle()
				}
			}
		}
	}
	s.t.Logf("%d requests: %d kinds, %d places", n, len(kinds), len(places))
}

// mayEnd reports whether a request that is handled may end the credential.
func (p *place) mayEnd() bool {
	return p.method == "DELETE" || p.method == "POST" && slices.Contains([]string{"/auth/logout/", "/account/logout", "/account/sessions"}, p.path)
}
