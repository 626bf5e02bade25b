package tempdir

import (
	"os"
	"path/filepath"
	"testing"
)

func TestNew(t *testing.T) {
	var folder string
	t.Run("a test", func(t *testing.T) {
		folder = New(t)
		if err := os.WriteFile(filepath.Join(folder, "a"), nil, 0o600); err != nil {
			t.Error(err)
		}
	})
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("%s is left after its test: %v", folder, err)
	}
}

// Only a file system with enough space is used.
func TestParent(t *testing.T) {
	for name, memory := range map[string]string{"missing": filepath.Join(t.TempDir(), "missing"), "without space": "/proc"} {
		if got := parent(memory); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
