//go:build linux

package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Freeze stops every process of the server as SIGSTOP does, so that it neither
// answers nor closes anything, and returns what lets them continue.
func (c *Cluster) Freeze(t testing.TB) (thaw func()) {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(c.Socket(), "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(file), "\n")
	postmaster, err := strconv.Atoi(first)
	if err != nil || postmaster < 2 {
		t.Fatalf("postmaster.pid: %q", first)
	}
	signal := func(s syscall.Signal) {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
		if err != nil {
			t.Error(err)
		}
		pids := append([]string{first}, strings.Fields(string(children))...)
		for _, pid := range pids {
			if n, err := strconv.Atoi(pid); err == nil {
				_ = syscall.Kill(n, s) // a process that ended meanwhile is not there
			}
		}
	}
	signal(syscall.SIGSTOP)
	thaw = func() { signal(syscall.SIGCONT) }
	t.Cleanup(thaw) // the server could not be stopped otherwise
	return thaw
}
