// Package allocs fails tests of code that allocates more than a limit. Only what the
// whole process allocates can be counted, other goroutines and the refilling of pools
// after a garbage collection included. So what is over the limit is measured again:
// it must be over the limit each time.
package allocs

import (
	"runtime"
	"testing"
)

// tries is how often f is measured before a test fails.
const tries = 10

// AtMost fails tb if f allocates more than limit times, in the average of runs calls.
func AtMost(tb testing.TB, limit float64, runs int, f func()) {
	tb.Helper()
	atMost(tb, limit, "allocations", func() float64 { return testing.AllocsPerRun(runs, f) })
}

// BytesAtMost fails tb if f, which is called several times then, allocates more than limit bytes.
func BytesAtMost(tb testing.TB, limit uint64, f func()) {
	tb.Helper()
	atMost(tb, float64(limit), "bytes", func() float64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f()
		runtime.ReadMemStats(&after)
		return float64(after.TotalAlloc - before.TotalAlloc)
	})
}

func atMost(tb testing.TB, limit float64, unit string, measure func() float64) {
	tb.Helper()
	least := measure()
	for try := 1; try < tries && least > limit; try++ {
		least = min(least, measure())
	}
	if least > limit {
		tb.Errorf("%.0f %s, want at most %.0f", least, unit, limit)
	}
}
