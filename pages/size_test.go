package pages_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/jotgate/jotgate/pages"
)

// Every page in every state and language has less than 30 KB, all scripts together less
// than 12 KB, and so have the style sheets.
func TestSizes(t *testing.T) {
	s := newSite(t, pages.Options{}, withPasskeys, codesOn)
	preview := s.pages.Preview()
	get := func(path string) string {
		w := httptest.NewRecorder()
		preview.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	file := regexp.MustCompile(`(?:src|href)="(/account/static/[^"]+\.(js|css))"`)
	found, largest, shown := map[string]string{}, 0, 0
	for _, link := range regexp.MustCompile(`href="(/[^"]+)"`).FindAllStringSubmatch(get("/"), -1) {
		page := get(link[1])
		shown++
		largest = max(largest, len(page))
		if len(page) >= 30_000 {
			t.Errorf("%s has %d bytes", link[1], len(page))
		}
		for _, m := range file.FindAllStringSubmatch(page, -1) {
			found[m[1]] = m[2]
		}
	}
	sizes := map[string]int{}
	for path, kind := range found {
		sizes[kind] += len(get(path))
	}
	t.Logf("%d pages of at most %d bytes, %d files: %v", shown, largest, len(found), sizes)
	if shown < 8*60 || len(found) < 3 || sizes["js"] >= 12_000 || sizes["css"] >= 12_000 {
		t.Errorf("%d pages, %d files, %v", shown, len(found), sizes)
	}
	for _, name := range []string{"static/*.js", "../internal/layout/static/*.js"} { // each script is on a page
		names, err := filepath.Glob(name)
		if err != nil || len(names) != 1 {
			t.Errorf("%s: %v %v", name, names, err)
		}
	}
}
