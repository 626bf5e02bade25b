package ha

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/interop/serve"
)

// base is a commit before the latest migrations.
const base = "2df7f41"

// previous builds the binary of a commit.
func previous(t *testing.T, commit string) string {
	t.Helper()
	folder := t.TempDir()
	tree, binary := filepath.Join(folder, "tree"), filepath.Join(folder, "jotgate")
	if out, err := exec.Command("git", "worktree", "add", "--detach", tree, commit).CombinedOutput(); err != nil {
		t.Fatalf("this test needs the history of the repository: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("git", "worktree", "remove", "--force", tree).Run() })
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/jotgate")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", commit, err, out)
	}
	return binary
}

// A node of an earlier version and one of today's share a database under load: first the earlier one alone, then today's
// migrates beside it.
func TestUpgrade(t *testing.T) {
	dsn := pgtest.Database(t)
	l := startLoad(t, nodeOf(t, dsn, previous(t, base)))
	l.works(50)
	today := node(t, dsn)
	l.mu.Lock()
	l.nodes = []*serve.Server{l.nodes[0], today}
	l.mu.Unlock()
	l.works(100)
	l.end()
	if l.failed.Load() != 0 {
		t.Error("refreshes failed during the upgrade")
	}
	if strings.Contains(today.Output(), "panic") {
		t.Error(today.Output())
	}
}
