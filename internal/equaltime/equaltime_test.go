package equaltime

import (
	"crypto/sha256"
	"testing"
)

// work is some work of this size.
func work(size int) func(int) {
	text := make([]byte, size)
	return func(int) { sha256.Sum256(text) }
}

// recorder is a test that takes down whether it failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Helper()               {}
func (r *recorder) Log(...any)            {}

func TestCheck(t *testing.T) {
	Check(t, 100, 0.10, map[string]func(int){"one": work(1 << 20), "other": work(1 << 20)})
	r := &recorder{TB: t}
	Check(r, 100, 0.10, map[string]func(int){"one": work(1 << 20), "twice as much": work(2 << 20)})
	if !r.failed {
		t.Error("twice as much went unnoticed")
	}
}
