package tempdir

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// A socket can be made in a folder for sockets also if the path of the temporary folder is long.
func TestForSockets(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("a", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, temporary := range []string{"/tmp", long} {
		t.Setenv("TMPDIR", temporary)
		path := filepath.Join(ForSockets(t), strings.Repeat("s", 20))
		listener, err := net.Listen("unix", path)
		if err != nil || len(path) > 103 {
			t.Fatalf("%d bytes: %v", len(path), err)
		}
		_ = listener.Close()
	}
	if got := SocketParent("/var/tmp"); got != "/var/tmp" {
		t.Errorf("/var/tmp is short enough, and %s is used", got)
	}
}

// The folders of a killed test are removed, and no others.
func TestRemoveAbandoned(t *testing.T) {
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	kept := map[string]bool{
		fmt.Sprintf("%s%d-1", prefix, ended.Process.Pid): false,
		fmt.Sprintf("%s%d-2", prefix, os.Getpid()):       true,
		prefix + "x-1":    true,
		"another-program": true,
	}
	for name := range kept {
		if err := os.MkdirAll(filepath.Join(parent, name, "sub"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	removeAbandoned(parent)
	for name, want := range kept {
		if _, err := os.Stat(filepath.Join(parent, name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
