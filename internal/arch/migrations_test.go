// Migrations state with which versions they are compatible.

package arch

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var compatibleFrom = regexp.MustCompile(`(?m)^-- compatible-from: [0-9]+$`)

// Each migration says which binaries can run beside it (docs/high-availability.md).
func TestMigrationsStateCompatibility(t *testing.T) {
	files, err := filepath.Glob("../../store/*/schema/[0-9]*_*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !compatibleFrom.Match(text) {
			t.Errorf("%s does not state the oldest version of the schema whose binaries can run beside it: add the line "+
				"\"-- compatible-from: N\" after \"-- +goose Up\"; N is the version before if those binaries work on the changed tables, "+
				"and the file's own version if they do not", filepath.ToSlash(file))
		}
	}
}
