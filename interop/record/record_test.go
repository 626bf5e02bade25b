// Package record makes recordings of a Django; see README.md.
package record

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/jotgate/jotgate/interop/peer"
)

const golden = "../../api/testdata/golden"

// record asks Debian's Django the cases of a recording of Debian's, leaves out those
// that answer as in the recording like, and says whether any is left.
func record(t *testing.T, group, like string) bool {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.json")
	file := group + ".json"
	cmd := exec.Command(peer.Python(), "-W", "ignore", "record.py", filepath.Join(golden, "debian12", file), out, "debian12",
		filepath.Join(golden, "fixtures.json"), filepath.Join(golden, like, file))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONPATH=.:../django/project")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, text)
	}
	_, err := os.Stat(out)
	return err == nil
}

// What Debian's Django answers today is what was recorded of it, by another hand.
func TestRecordingDebianAgain(t *testing.T) {
	for _, group := range []string{"blacklist", "check_revoke", "djoser_activation", "rs256"} {
		t.Run(group, func(t *testing.T) {
			if record(t, group, "debian12") {
				t.Error("it answers otherwise than recorded")
			}
		})
	}
	if !record(t, "check_revoke", "newest") {
		t.Error("no difference between Debian's Django and the newest was seen")
	}
}
