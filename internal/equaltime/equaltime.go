// Package equaltime lets a test say that answers cannot be told apart by a
// clock:
//
//	equaltime.Check(t, 500, 0.03, map[string]func(int){"known": …, "unknown": …})
//
// The answers are asked for in turn and the medians of their times compared. On
// a machine that is busy with other things a clock on the wall shows mostly the
// other things; then the processor time of the asking thread is compared, in
// which they do not count.
package equaltime

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// attempts is how often each clock is tried. A real difference, a hash that is
// not made, is many times what is allowed, and fails every one.
const attempts = 4

// Check asks for each answer n times, interleaved, and fails unless the
// medians differ by less than the allowed part of the shortest: by the clock on
// the wall or, failing that, in processor time, which counts only what is done
// in the goroutine that calls ask.
func Check(t testing.TB, n int, allowed float64, ask map[string]func(i int)) {
	t.Helper()
	if testing.Short() { // the race detector, which is after something else, blurs times; a hash that is missing shows all the same
		n, allowed = min(n, 20), max(allowed, 0.5)
	}
	var text string
	for _, clock := range []struct {
		name string
		read func() time.Duration
	}{{"wall", wall}, {"processor", processor}} {
		for range attempts {
			names, medians := interleaved(n, clock.read, ask)
			shortest, longest := slices.Min(medians), slices.Max(medians)
			apart := float64(longest-shortest) / float64(max(shortest, 1))
			text = fmt.Sprintf("%s time, medians of %d: %v %v, %.1f %% apart", clock.name, n, names, medians, 100*apart)
			t.Log(text)
			if apart < allowed {
				return
			}
		}
	}
	t.Errorf("%s: more than %.0f %%", text, 100*allowed)
}

// start is what wall counts from.
var start = time.Now()

func wall() time.Duration { return time.Since(start) }

// processor is how long the calling thread has had a processor.
func processor() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		panic("equaltime: " + err.Error())
	}
	return time.Duration(used.Nano())
}

// interleaved returns the names and the median time of each.
func interleaved(n int, now func() time.Duration, ask map[string]func(i int)) (names []string, medians []time.Duration) {
	runtime.LockOSThread() // processor time is the thread's
	defer runtime.UnlockOSThread()
	for name := range ask {
		names = append(names, name)
	}
	slices.Sort(names)
	took := make([][]time.Duration, len(names))
	for i := range n {
		for j := range names {
			j = (j + i) % len(names) // who comes after whom changes
			began := now()
			ask[names[j]](i)
			took[j] = append(took[j], now()-began)
		}
	}
	for _, times := range took {
		slices.Sort(times)
		medians = append(medians, times[n/2])
	}
	return names, medians
}
