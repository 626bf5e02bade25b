package api

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/swaggest/swgui/v5/static"

	"github.com/jotgate/jotgate"
)

// The files of Swagger UI are those of the module in go.mod.
func TestSwaggerFiles(t *testing.T) {
	files, err := swaggerUI.ReadDir("swagger")
	if err != nil || len(files) != len(docsFiles) {
		t.Fatalf("%v, %d files", err, len(files))
	}
	for _, file := range files {
		ours, err := swaggerUI.ReadFile("swagger/" + file.Name())
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := fs.ReadFile(static.FS, file.Name())
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Errorf("%s differs from the module's (%v): go generate ./api", file.Name(), err)
		}
	}
	for _, name := range docsFiles {
		if body, err := swaggerFile(name); err != nil || len(body) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

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
		g.Providers, g.AppRedirects = appProviders(), []string{appOrigin}
		g.ServeRevocations, g.LoginCodes, g.RPID, g.RPOrigins = true, true, "example.com", []string{"https://example.de"}
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
