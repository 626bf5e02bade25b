// CONTRIBUTING.md says what every folder is for.

package arch

import (
	"fmt"
	"strings"
	"testing"
)

func TestContributingNamesEveryFolder(t *testing.T) {
	files := documents(t)
	var folders []string
	for _, p := range loaded(t) {
		folders = append(folders, p.path)
	}
	report(t, unnamed(files["CONTRIBUTING.md"], append(folders, "interop", "bench", "docs", "tools", "packaging", "oteljotgate")))
}

// unnamed reports the folders that a text does not name: `x/` for each folder of the
// repository, and `internal/x/` for those of internal.
func unnamed(text string, folders []string) (findings []string) {
	for _, folder := range folders {
		parts := strings.SplitN(folder, "/", 3)
		name := parts[0]
		if (name == "internal" || name == "cmd") && len(parts) > 1 {
			name += "/" + parts[1]
		}
		if folder != "." && !strings.Contains(text, "`"+name+"/`") {
			findings = append(findings, fmt.Sprintf("CONTRIBUTING.md does not say what `%s/` is for: add it to the table", name))
		}
	}
	return findings
}

func TestCheckContributingCatches(t *testing.T) {
	text := "| `jwt/`, `internal/web/` | … |"
	expect(t, unnamed(text, []string{".", "jwt", "jwt/jwks", "internal/web"}))
	expect(t, unnamed(text, []string{"web"}), "`web/`")
	expect(t, unnamed(text, []string{"internal/form"}), "`internal/form/`")
}
