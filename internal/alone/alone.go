// Package alone runs a test in a process of its own: for what is measured of a whole
// process or changed in it, such as its memory, its garbage collector and its limits.
// In the process of all tests it would depend on those that ran before.
package alone

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// chosen is the environment variable with the name of the test for which a process was started.
const chosen = "TESTS_ALONE"

// Run calls f in a new process of the test program, which runs no other test, and
// fails t if f fails there. t must not be a subtest. The log of f is t's only if f
// fails or with the flag -v.
func Run(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(chosen) == t.Name() {
		f(t)
		return
	}
	if strings.Contains(t.Name(), "/") {
		t.Fatal("a subtest cannot be run alone")
	}
	out, passed := start(t)
	if !passed {
		t.Errorf("in a process of its own:\n%s", out)
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// start runs the test in a new process and reports whether it passed there.
func start(t *testing.T) (out string, passed bool) {
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", fmt.Sprintf("-test.short=%t", testing.Short()))
	child.Env = append(os.Environ(), chosen+"="+t.Name())
	text, err := child.CombinedOutput()
	out = string(text)
	return out, err == nil && strings.Contains(out, "--- PASS: "+t.Name()+" ")
}
