package api

import (
	"os"
	"strings"
	"testing"

	"github.com/jotgate/jotgate"
)

// The table of endpoints in docs/http-api.md is the table in routes.go.
func TestDocsListEveryRoute(t *testing.T) {
	text, err := os.ReadFile("../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{} // path → methods
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 && strings.HasPrefix(cells[1], " /") {
			listed[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[2])
		}
	}
	s := newSite(t, change{gate: func(g *jotgate.Settings) {
		g.ServeRevocations, g.RPID, g.RPOrigins = true, "example.com", []string{"https://example.de"}
	}})
	for _, r := range s.routes() {
		if r.path == "/api/docs/{file}" { // the files of a page that is listed
			continue
		}
		methods := strings.TrimSuffix(r.allow(), ", OPTIONS")
		methods = strings.TrimSuffix(methods, ", HEAD")
		if got, ok := listed[r.path]; !ok || got != methods {
			t.Errorf("docs/http-api.md lists %q with the methods %q, the route has %q", r.path, got, methods)
		}
		delete(listed, r.path)
	}
	for path := range listed {
		t.Errorf("docs/http-api.md lists %s, which is not in routes.go", path)
	}
}
