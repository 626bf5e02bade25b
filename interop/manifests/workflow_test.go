package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// actionlint finds nothing in the workflows, and what they run exists.
func TestWorkflows(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no workflow", err)
	}
	lint := exec.Command("go", append([]string{"tool", "-modfile=../../tools/go.mod", "actionlint", "-no-color"}, files...)...)
	if text, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, target := range regexp.MustCompile(`run: make (\S+)`).FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(makefile), "\n"+target[1]+":") {
				t.Errorf("%s: there is no target %s", file, target[1])
			}
		}
		if _, err := os.Stat("../../.ci/run"); err != nil || !strings.Contains(string(text), "run: .ci/run") {
			t.Errorf("%s does not run .ci/run: %v", file, err)
		}
		for _, action := range regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(string(text), -1) {
			if !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(action[1]) {
				t.Errorf("%s: %s is not pinned to a commit", file, action[1])
			}
		}
	}
}
