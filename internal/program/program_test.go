package program

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// The second package of a run finds the program of the first one.
func TestBuild(t *testing.T) {
	shared := t.TempDir()
	t.Setenv("TESTS_SHARED", shared)
	var first os.FileInfo
	for range 2 {
		path, err := Build(t.TempDir())
		if err != nil || !strings.HasPrefix(path, shared) {
			t.Fatal(path, err)
		}
		info, err := os.Stat(path)
		if err != nil || first != nil && !os.SameFile(info, first) {
			t.Fatal("linked again", err)
		}
		first = info
		if out, err := exec.Command(path, "version").CombinedOutput(); err != nil || !strings.Contains(string(out), "jotgate") {
			t.Errorf("%s %v", out, err)
		}
	}
}
