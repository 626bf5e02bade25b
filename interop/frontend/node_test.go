package frontend

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// node runs a script of this folder and reads the JSON that it prints. If the script fails, the
// test ends with its error, what it printed and the log of the server.
func node(t *testing.T, into any, log func() string, args ...string) {
	t.Helper()
	out, err := exec.Command("node", args...).Output()
	if err != nil {
		var said []byte
		if failed, ok := err.(*exec.ExitError); ok {
			said = failed.Stderr
		}
		t.Fatalf("%v\n%s\n%s\n%s", err, said, out, log())
	}
	if err := json.Unmarshal(out, into); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
