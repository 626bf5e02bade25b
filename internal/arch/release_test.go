// The modules that are published, and what a release requires of them (CONTRIBUTING.md, Releasing).

package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// unreleased is what go.mod requires of the main module before the first release.
const unreleased = "v0.0.0-00010101000000-000000000000"

var requiresMain = regexp.MustCompile(`(?m)^\tgithub\.com/jotgate/jotgate (v\S+)$`)

func TestPublishedModules(t *testing.T) {
	dir, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "oteljotgate", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	mod := string(text)
	if !strings.Contains(mod, "\nreplace github.com/jotgate/jotgate => ../\n") {
		t.Error("oteljotgate/go.mod does not use the main module of this repository")
	}
	found := requiresMain.FindStringSubmatch(mod)
	if found == nil || found[1] != unreleased && !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(found[1]) {
		t.Fatalf("oteljotgate/go.mod requires %q of the main module, want %s or the version of a release", found, unreleased)
	}
	script, err := os.ReadFile(filepath.Join(dir, "tools", "release", "build"))
	if err != nil {
		t.Fatal(err)
	}
	if out := release(t, string(script), mod); !strings.Contains(out, "oteljotgate/go.mod requires "+found[1]+", not v0.98.7") {
		t.Errorf("a tag that oteljotgate does not require is accepted:\n%s", out)
	}
	mod = strings.Replace(mod, "jotgate "+found[1], "jotgate v0.98.7", 1)
	if out := release(t, string(script), mod); !strings.Contains(out, "jotgate 0.98.7, commit ") {
		t.Errorf("the release of a tag does not begin:\n%s", out)
	}
}

// release runs the script in a repository without a program, whose commit has the
// tags of both modules, and returns its output. It passes no other environment: in a
// hook of git there is GIT_DIR, and git would commit into the developer's repository.
func release(t *testing.T, script, mod string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"tools/release/build": script, "oteljotgate/go.mod": mod, "bin/umoci": "#!/bin/sh\n", "bin/zip": "#!/bin/sh\n",
		".config/go/telemetry/mode": "off", // or the go command writes to $HOME after it has ended
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", `export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.com GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.com
git init -q && git config maintenance.auto false && git add . && git commit -qm Release && git tag v0.98.7 && git tag -am later oteljotgate/v0.98.7 && PLATFORMS= tools/release/build`)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + os.TempDir()}
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("there is nothing to build, but there was no error:\n%s", out)
	}
	return string(out)
}
