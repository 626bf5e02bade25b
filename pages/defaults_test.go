package pages_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/jotgate/jotgate/pages"
)

// TestDefaults: a theme is exported as the files are in the repository.
func TestDefaults(t *testing.T) {
	all, err := pages.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, folder := range []string{"templates", "../internal/layout/templates"} {
		list, err := filepath.Glob(filepath.Join(folder, "*.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range list {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if read++; string(all[filepath.Base(file)]) != string(text) {
				t.Errorf("%s is not as in the repository", file)
			}
		}
	}
	if read < 20 {
		t.Errorf("%d templates", read)
	}
}
