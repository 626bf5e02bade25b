package ha

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/internal/pgtest"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/interop/serve"
)

// base is a commit before the latest migrations.
const base = "2df7f41"

// former is a commit that knows which later migrations it can run beside.
const former = "1030e21"

// Without paths in the program (-trimpath), the go command finds what it has compiled for an earlier run in its cache.
const buildOf = `mkdir tree && git -C "$2" archive "$1" | tar -x -C tree && cd tree && go build -buildvcs=false -trimpath -ldflags='-s -w' -o ../jotgate ./cmd/jotgate`

var built = map[string]string{} // binaries by commit, for the tests of this package

// previous builds the binary of a commit, once.
func previous(t *testing.T, commit string) string {
	t.Helper()
	if built[commit] != "" {
		return built[commit]
	}
	folder := filepath.Join(filepath.Dir(serve.Command(t, "", nil).Path), commit)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", buildOf, "bash", commit, root)
	cmd.Dir = folder
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s, which needs the history of the repository: %v\n%s", commit, err, out)
	}
	built[commit] = filepath.Join(folder, "jotgate")
	return built[commit]
}

// A node of an earlier version and one of today's share a database under load: first the earlier one alone, then today's
// migrates beside it.
func TestUpgrade(t *testing.T) {
	dsn := pgtest.Database(t)
	l := startLoad(t, nodeOf(t, dsn, previous(t, base)))
	l.works(50)
	today := node(t, dsn)
	l.use(l.nodes[0], today)
	l.works(100)
	l.end()
	if n := l.broken.Load(); n != 0 {
		t.Errorf("%d refreshes failed during the upgrade", n)
	}
	if strings.Contains(today.Output(), "panic") {
		t.Error(today.Output())
	}
}

// A rollback under load: today's node has migrated the database; one of the former
// version starts beside it and then serves alone. A version with which the
// migrations are not compatible refuses in one line, and disturbs nobody.
func TestRollback(t *testing.T) {
	incompatible, compatible := previous(t, base), previous(t, former)
	dsn := pgtest.Database(t)
	today := node(t, dsn)
	l := startLoad(t, today)
	l.works(50)
	var out []byte
	wait.Until(t, "an incompatible version finds a newer database", func() bool { // not one that is too slow for it
		refused := exec.Command(incompatible, "serve", "--addr=127.0.0.1:0", "--database="+dsn)
		refused.Env = append(refused.Environ(), "JOTGATE_SECRET_KEY="+secret)
		var err error
		out, err = refused.CombinedOutput()
		return err != nil && strings.Contains(string(out), "migrated by a newer jotgate")
	})
	if strings.Count(string(out), "\n") != 1 {
		t.Errorf("an incompatible version says more than a line:\n%s", out)
	}
	l.works(50)
	back := nodeOf(t, dsn, compatible)
	l.use(today, back)
	l.works(100)
	l.use(back)
	l.works(50)
	if err := today.Stop(); err != nil {
		t.Error(err)
	}
	l.works(100)
	l.end()
	if n := l.broken.Load(); n != 0 {
		t.Errorf("%d refreshes failed during the rollback", n)
	}
}
