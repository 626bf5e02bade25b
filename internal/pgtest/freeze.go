//go:build linux

package pgtest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jotgate/jotgate/internal/wait"
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
	// The server is stopped before its children are listed: it could start another one.
	stop(t, postmaster)
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
	if err != nil {
		t.Error(err)
	}
	stopped := []int{postmaster}
	for child := range strings.FieldsSeq(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			stop(t, pid)
			stopped = append(stopped, pid)
		}
	}
	thaw = sync.OnceFunc(func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	})
	t.Cleanup(thaw) // the server could not be stopped otherwise
	return thaw
}

// stop sends SIGSTOP and waits until the process has stopped, or has ended.
func stop(t testing.TB, pid int) {
	t.Helper()
	_ = syscall.Kill(pid, syscall.SIGSTOP)
	wait.Until(t, fmt.Sprintf("process %d has stopped", pid), func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return true
		}
		_, fields, _ := strings.Cut(string(stat), ") ")
		return strings.ContainsAny(fields[:min(1, len(fields))], "TZX")
	})
}
