package api

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/apikey"
	"github.com/jotgate/jotgate/oauth"
)

// described is what the test reads of openapi.yaml.
type described struct {
	OpenAPI string `yaml:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string         `yaml:"operationId"`
		Summary     string         `yaml:"summary"`
		Responses   map[string]any `yaml:"responses"`
		Security    []any          `yaml:"security"`
		RequestBody any            `yaml:"requestBody"`
	}
	Components struct {
		Responses map[string]struct {
			Content map[string]struct{ Examples map[string]any }
		}
	}
}

func readOpenAPI(t *testing.T) (d described) {
	t.Helper()
	// Parameters stand beside the methods of a path, and are no method.
	text := regexp.MustCompile(`(?m)^    parameters:\n(      - .*\n)+`).ReplaceAll(OpenAPI(jotgate.Settings{
		ServeRevocations: true, LoginCodes: true, Providers: appProviders(), AppRedirects: []string{appOrigin}, RPID: "example.com", RPOrigins: []string{"https://example.com", "https://example.de"},
	}, Settings{APIKeys: new(apikey.Keys), OAuth: new(oauth.Server)}), nil)
	if err := yaml.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every route and method is described, and nothing else; those that need a
// token say so, and those that take a body describe it.
func TestOpenAPIDescribesEveryRoute(t *testing.T) {
	d := readOpenAPI(t)
	if d.OpenAPI != "3.1.0" {
		t.Errorf("openapi: %s", d.OpenAPI)
	}
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.Providers, g.AppRedirects = appProviders(), []string{appOrigin}
		g.ServeRevocations, g.LoginCodes, g.RPID, g.RPOrigins = true, true, "example.com", []string{"https://example.com", "https://example.de"}
	}})
	ids := map[string]bool{}
	for _, r := range s.routes() {
		for method, action := range map[string]*action{"get": r.get, "post": r.post, "put": r.put, "patch": r.patch, "delete": r.remove} {
			op, ok := d.Paths[r.path][method]
			if ok != (action != nil) {
				t.Errorf("%s %s: a route %v, described %v", method, r.path, action != nil, ok)
			}
			if action == nil || !ok {
				continue
			}
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" {
				t.Errorf("%s %s: operationId %q, summary %q", method, r.path, op.OperationID, op.Summary)
			}
			ids[op.OperationID] = true
			if guarded := len(op.Security) > 0; action != raw && guarded != (action.access == member || action.access == keyed) {
				t.Errorf("%s %s: security %v", method, r.path, op.Security)
			}
			if (op.RequestBody != nil) != (action.fields != nil) {
				t.Errorf("%s %s: a body described %v", method, r.path, op.RequestBody != nil)
			}
			if _, told := op.Responses["401"]; action != raw && action.access != open && !told {
				t.Errorf("%s %s: 401 is not described", method, r.path)
			}
		}
	}
	known := s.routes()
	for path := range d.Paths {
		if !slices.ContainsFunc(known, func(r route) bool { return r.path == path }) {
			t.Errorf("%s is described, and no route", path)
		}
	}
	for name, r := range d.Components.Responses {
		for media, content := range r.Content {
			if len(content.Examples) == 0 {
				t.Errorf("the response %s has no example of %s", name, media)
			}
		}
	}
}

// Where the login name is called otherwise, so it is in what is served.
func TestOpenAPIFollowsTheLoginField(t *testing.T) {
	for login, user := range map[string]string{"login": "[email, id, login]", "email": "[email, id]"} {
		s := newSite(t, change{gate: func(s *jotgate.Settings) { s.LoginField = login }})
		text := s.ask("GET", "/api/schema/", "").Body
		if text != string(OpenAPI(jotgate.Settings{LoginField: login}, Settings{APIKeys: new(apikey.Keys), OAuth: new(oauth.Server)})) {
			t.Errorf("%s: OpenAPI returns something else", login)
		}
		var d described
		if err := yaml.Unmarshal(regexp.MustCompile(`(?m)^    parameters:\n(      - .*\n)+`).ReplaceAll([]byte(text), nil), &d); err != nil {
			t.Fatal(err) // a name that is there twice, for example
		}
		for _, r := range s.routes() {
			if _, ok := d.Paths[r.path]; !ok && r.only == nil {
				t.Errorf("%s is not described", r.path)
			}
		}
		for schema, want := range map[string]string{
			"Credentials": "[" + login + ", password]", "SignUp": "[" + login + ", password]", "User": user,
			"SetUsername": "[current_password, new_" + login + "]", "UsernameAndPassword": "[username, password]",
		} {
			if !strings.Contains(text, "\n    "+schema+":\n      type: object\n      required: "+want+"\n") {
				t.Errorf("%s does not require %s", schema, want)
			}
		}
	}
}

func TestSchemaAndDocs(t *testing.T) {
	s := newSite(t, change{})
	a := s.ask("GET", "/api/schema", "")
	want(t, "schema", a, 200, "openapi: 3.1.0")
	if !bytes.Equal([]byte(a.Body), OpenAPI(jotgate.Settings{}, Settings{APIKeys: new(apikey.Keys), OAuth: new(oauth.Server)})) || a.Header.Get("Content-Type") != "application/yaml" {
		t.Errorf("%v", a.Header)
	}
	page := s.ask("GET", "/api/docs/", "")
	want(t, "page", page, 200, "<title>jotgate API</title>")
	links := regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(page.Body, -1)
	if len(links) < 5 {
		t.Fatalf("%v", links)
	}
	for _, link := range links {
		if !strings.HasPrefix(link[1], "/api/") {
			t.Errorf("%s is somewhere else", link[1])
		}
		if a := s.ask("GET", link[1], ""); a.Status != 200 || a.Body == "" || a.Header.Get("Content-Type") == "" {
			t.Errorf("%s: %d %s", link[1], a.Status, a.Header.Get("Content-Type"))
		}
	}
	if strings.Contains(page.Body, "<script>") || strings.Contains(page.Body, "<style") || strings.Contains(page.Body, " style=") {
		t.Error("the page has a script or a style in it")
	}
}
