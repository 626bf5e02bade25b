package allocs

import (
	"fmt"
	"strings"
	"testing"
)

// recorder is a test that records its failure.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Helper()                           {}
func (r *recorder) Errorf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }

var kept []byte // so that the compiler does not remove the allocations

// One measurement within the limit is enough, and all of them over it are a failure.
func TestLimits(t *testing.T) {
	calls := 0
	for _, c := range []struct {
		name  string
		do    func(tb testing.TB)
		fails string
	}{
		{"within", func(tb testing.TB) { AtMost(tb, 1, 10, func() { kept = make([]byte, 10) }) }, ""},
		{"over", func(tb testing.TB) { AtMost(tb, 0, 10, func() { kept = make([]byte, 10) }) }, "1 allocations, want at most 0"},
		{"once more", func(tb testing.TB) {
			AtMost(tb, 0, 1, func() {
				if calls++; calls <= 2 { // the first measurement: AllocsPerRun calls it once before
					kept = make([]byte, 10)
				}
			})
		}, ""},
		{"bytes within", func(tb testing.TB) { BytesAtMost(tb, 2<<20, func() { kept = make([]byte, 1<<20) }) }, ""},
		{"bytes over", func(tb testing.TB) { BytesAtMost(tb, 1<<20-1, func() { kept = make([]byte, 1<<20) }) }, "bytes, want at most 1048575"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			c.do(r)
			if c.fails == "" && r.failure != "" || !strings.Contains(r.failure, c.fails) {
				t.Errorf("it failed with %q, want %q", r.failure, c.fails)
			}
		})
	}
}
