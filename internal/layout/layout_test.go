package layout

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jotgate/jotgate/internal/catalog"
)

func testView(t *testing.T, f *Files) *View {
	t.Helper()
	all, err := catalog.Load()
	if err != nil {
		t.Fatal(err)
	}
	return &View{
		Site: "Example", Title: "login.title", Path: "/x/", AccountPath: "/account/",
		Catalog: all.List[0], Catalogs: all, Files: f, Values: map[string]string{},
	}
}

// In a text from right to left, the parts of a date keep their order.
func TestDateRightToLeft(t *testing.T) {
	v := testView(t, nil)
	v.Now = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for code, want := range map[string]string{"en": "2025-12-25", "ar": "\u20662025-12-25\u2069"} {
		v.Catalog = v.Catalogs.Named(code)
		if got := v.When(time.Date(2025, 12, 25, 0, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("%s: %q", code, got)
		}
	}
}

// A package with pages of its own gets the shared frame; a theme replaces both
// its templates and the shared ones.
func TestTheme(t *testing.T) {
	files, err := LoadFiles(Look{Accent: "#0a7d4f"})
	if err != nil {
		t.Fatal(err)
	}
	own := fstest.MapFS{"one.html": {Data: []byte(`<h1>{{.T "login.title"}}</h1>{{template "says" .}}`)}}
	for _, c := range []struct {
		override fstest.MapFS
		want     string
	}{
		{nil, "<h1>Sign in</h1>"},
		{fstest.MapFS{"one.html": {Data: []byte(`<h1>Other</h1>`)}}, "<h1>Other</h1>"},
		{fstest.MapFS{"base.html": {Data: []byte(`<html>{{template "main" .}}</html>`)}}, "<html><h1>Sign in</h1>"},
	} {
		theme, err := LoadTheme(own, orNil(c.override))
		if err != nil {
			t.Fatal(err)
		}
		page, err := theme.Render("one.html", testView(t, files))
		if err != nil || !strings.Contains(string(page), c.want) {
			t.Errorf("%v: %s", err, page)
		}
	}
	for name, want := range map[string]string{"two.html": "two.html: there is no page", "one.html": "one.html:1"} {
		if _, err := LoadTheme(own, fstest.MapFS{name: {Data: []byte("{{if}}")}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func orNil(m fstest.MapFS) fs.FS {
	if m == nil {
		return nil
	}
	return m
}

// A file is served under the name that a page has for it, for ever; another
// digest is not found.
func TestFiles(t *testing.T) {
	files, err := LoadFiles(Look{})
	if err != nil {
		t.Fatal(err)
	}
	files.Add("extra", ".js", []byte("1"))
	v := testView(t, files)
	for _, role := range []string{"style", "script", "extra"} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.SetPathValue("file", strings.TrimPrefix(v.Static(role), "/x/static/"))
		w := httptest.NewRecorder()
		if !files.Serve(w, r) || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
			t.Errorf("%s: %v", role, w.Header())
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.SetPathValue("file", "style-0000000000000000.css")
	if files.Serve(httptest.NewRecorder(), r) || v.Static("logo") != "" {
		t.Error("a file that does not exist")
	}
}
