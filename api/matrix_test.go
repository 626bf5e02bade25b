package api

// The table of docs/credentials.md: which credential opens what.

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/authtoken"
	"github.com/jotgate/jotgate/proxy"
	"github.com/jotgate/jotgate/record"
)

// place is an endpoint or an integration: a row of the table.
type place struct {
	name         string
	method, path string
	handler      http.Handler
	alter        func(*http.Request)
}

// The cells of the table.
const (
	opens      = "yes"
	unread     = "–"     // the credential is not read
	not401     = "no"    // 401
	needsScope = "scope" // 403 insufficient_scope
	needsLogin = "login" // 403 login_required
	needsSelf  = "own"   // 403 impersonated
	needsAgain = "again" // 401 insufficient_user_authentication
)

// send returns what the place does with a request that has these headers.
func (p *place) send(headers []string) (status int, cell string) {
	body := ""
	if p.method == "POST" || p.method == "PUT" || p.method == "PATCH" {
		body = "{}"
	}
	r := httptest.NewRequest(p.method, p.path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if p.alter != nil {
		p.alter(r)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	text := w.Body.String() + w.Header().Get("WWW-Authenticate")
	for part, cell := range map[string]string{
		"insufficient_scope": needsScope, `"login_required"`: needsLogin, `"impersonated"`: needsSelf, "insufficient_user_authentication": needsAgain,
	} {
		if strings.Contains(text, part) {
			return w.Code, cell
		}
	}
	switch {
	case w.Code == 401 && !strings.Contains(text, "no_active_account"):
		return w.Code, not401
	case w.Code >= 500:
		return w.Code, w.Body.String()
	}
	return w.Code, opens
}

// matrixSite is a site whose every route is served and whose alice is staff.
func matrixSite(t *testing.T) *site {
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.Providers, g.AppRedirects = appProviders(), []string{appOrigin}
		g.ServeRevocations, g.LoginCodes, g.RPID, g.RPOrigins = true, true, "example.com", []string{"https://example.com", "https://example.de"}
		g.Audience = []string{matrixAudience}
	}})
	if err := s.db.Accounts().Change(t.Context(), s.account("alice").ID, record.Change{IsStaff: new(true), At: s.now.Now()}); err != nil {
		t.Fatal(err)
	}
	s.now.turn(2 * time.Second)
	s.remote = s.newRemoteGuard()
	return s
}

// integrations are the ways to protect handlers of a program.
func integrations(t *testing.T, s *site) (list []place) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	upstream := httptest.NewServer(ok)
	t.Cleanup(upstream.Close)
	forward, err := proxy.New(s.gate.Guard, proxy.Settings{Upstream: upstream.URL, Protect: []string{"/private/"}, StepUp: map[string][]jotgate.Requirement{"/private/recent/": {jotgate.Fresh(time.Minute)}}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(name, path string, h http.Handler, alter func(*http.Request)) {
		list = append(list, place{name, "GET", path, h, alter})
	}
	for _, g := range []struct {
		name string
		*jotgate.Guard
	}{{"gate", s.gate.Guard}, {"guard in another process", s.remote}} {
		add(g.name+": `Require`, `RequireUser`, `RequireStaff`", "/", g.Require(ok), nil)
		add(g.name+": `Require`, the token as a WebSocket subprotocol", "/", g.Require(ok), asSocket)
		add(g.name+": `Optional`", "/", g.Optional(ok), nil)
		add(g.name+": `RequireScope(\"orders:read\")`", "/", g.RequireScope("orders:read")(ok), nil)
		add(g.name+": `RequireAudience(…)`", "/", g.RequireAudience(matrixAudience)(ok), nil)
		add(g.name+": `RequireAuth(jotgate.Fresh(…))`", "/", g.RequireAuth(jotgate.Fresh(time.Minute))(ok), nil)
		add(g.name+": `NotImpersonated`", "/", g.Require(jotgate.NotImpersonated(ok)), nil)
	}
	add("proxy: a protected path", "/private/x", forward, nil)
	add("proxy: a path of `StepUp`", "/private/recent/x", forward, nil)
	add("proxy: another path", "/public", forward, nil)
	for _, query := range []string{"scope=orders:read", "audience=" + matrixAudience, "staff=true", "max_age=60"} {
		add("GET `/auth/check?"+strings.Replace(query, matrixAudience, "…", 1)+"`", "/auth/check?"+query, s.API, nil)
	}
	return list
}

// endpoints are those of the code's own list of routes.
func endpoints(s *site) (list []place) {
	for _, r := range s.routes() {
		path := strings.NewReplacer("{id}", string(s.account("alice").ID), "{file}", "docs.js").Replace(r.path)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if action, _ := r.action(method); action != nil {
				list = append(list, place{method + " `" + r.path + "`", method, path, s.API, nil})
			}
		}
	}
	return list
}

// TestCredentials sends every kind of credential, in each way in which a client can send
// it, to every endpoint and through every integration, and compares what happens with the
// table of docs/credentials.md. A route that is added later takes part by itself.
// UPDATE_DOCS=1 writes the table.
func TestCredentials(t *testing.T) {
	s, accepting := matrixSite(t), matrixSite(t)
	accepting.tokens = authTokens{}
	authtoken.Accept(accepting.gate, accepting.tokens)
	places := append(integrations(t, s), endpoints(s)...)
	cells := make([][]string, len(places))
	for i := range places {
		cells[i] = make([]string, len(columns))
	}
	s.fill(places, kinds(), cells)
	accepting.fill(append(integrations(t, accepting), endpoints(accepting)...), acceptedKinds(), cells)
	for _, row := range cells {
		if row[none] == opens && !slices.ContainsFunc(row, func(cell string) bool { return cell != opens }) {
			for i := range row {
				row[i] = unread
			}
		}
	}
	comparePage(t, places, cells)
}

// fill sends each kind of credential to each place of the site, and fills the cells of its
// column.
func (s *site) fill(places []place, kinds []kind, cells [][]string) {
	for _, k := range kinds {
		ways := k.present(s)
		s.settle()
		for i := range places {
			for w := range ways {
				status, got := places[i].send(ways[w])
				if places[i].alter != nil && (k.column == keyWith || k.column == keyWithout) && w > 0 {
					continue // only a Bearer token can be a subprotocol
				}
				switch wanted := &cells[i][k.column]; {
				case *wanted == "":
					*wanted = got
				case *wanted != got:
					s.t.Errorf("%s: %s (%s …): %d %q, want %q as of others in the column %q",
						places[i].name, k.name, strings.Join(ways[w], ": ")[:min(30, len(strings.Join(ways[w], ": ")))], status, got, *wanted, columns[k.column])
				}
				if status < 300 && (places[i].method == "DELETE" || places[i].path == "/auth/logout/") { // it may have ended the credential
					s.now.turn(2 * time.Second)
					ways = k.present(s)
					s.settle()
				}
			}
		}
	}
}

const tablePage = "../docs/credentials.md"

// comparePage compares the table with that of the page.
func comparePage(t *testing.T, places []place, cells [][]string) {
	var b strings.Builder
	b.WriteString("| | " + strings.Join(columns, " | ") + " |\n|---" + strings.Repeat("|---", len(columns)) + "|\n")
	for i, p := range places {
		b.WriteString("| " + p.name + " | " + strings.Join(cells[i], " | ") + " |\n")
	}
	var list strings.Builder
	for column, name := range columns {
		var names []string
		for _, k := range append(kinds(), acceptedKinds()...) {
			if k.column == column {
				names = append(names, k.name)
			}
		}
		list.WriteString("- **" + name + "**: " + strings.Join(names, "; ") + "\n")
	}
	page, err := os.ReadFile(tablePage)
	if err != nil {
		t.Fatal(err)
	}
	updated := page
	for name, text := range map[string]string{"table": b.String(), "kinds": list.String()} {
		begin, end := []byte("<!-- "+name+" -->\n"), []byte("<!-- end of "+name+" -->")
		from, to := bytes.Index(updated, begin), bytes.Index(updated, end)
		if from < 0 || to < from {
			t.Fatalf("%s has no place for the %s", tablePage, name)
		}
		updated = slices.Concat(updated[:from], begin, []byte("\n"+text+"\n"), updated[to:])
	}
	if bytes.Equal(updated, page) {
		return
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(tablePage, updated, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, is := strings.Split(string(page), "\n"), strings.Split(string(updated), "\n")
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("not in %s: %s", tablePage, line)
		}
	}
	t.Errorf("%s differs from what the code does; UPDATE_DOCS=1 rewrites it", tablePage)
}
