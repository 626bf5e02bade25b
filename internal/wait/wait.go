// Package wait lets a test wait for an event in another goroutine or process
// without depending on how long that takes:
//
//	wait.Until(t, "the other node uses the key", func() bool { … })
//	err := wait.For(t, "Run returns", ended)
//	_ = conn.SetDeadline(wait.Deadline())
//
// Every wait ends the test after [Limit]. A test passes or fails by the event
// alone, on a slow or busy machine as well.
package wait

import (
	"testing"
	"time"
)

// Limit is how long a wait lasts before the test is given up as hanging. It is
// far longer than any event takes on a machine at a tenth of its speed.
const Limit = 3 * time.Minute

// Until pauses for a time from firstPause to lastPause between two calls of the condition. It becomes
// longer, so that a condition that is costly to check does not delay what it waits for.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = 20 * time.Millisecond
)

// Until returns when done reports true. It calls done in the goroutine of the
// test, at least once, and ends the test if done is still false after Limit.
func Until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	late := Deadline()
	for pause := firstPause; !done(); pause = min(pause*5/4, lastPause) {
		if time.Now().After(late) {
			tb.Fatalf("waited %v in vain until %s", Limit, what)
		}
		time.Sleep(pause)
	}
}

// For returns the next value from the channel, or the zero value if the channel
// is closed. It ends the test if there is none after Limit.
func For[T any](tb testing.TB, what string, from <-chan T) T {
	tb.Helper()
	late := time.NewTimer(Limit)
	defer late.Stop()
	select {
	case v := <-from:
		return v
	case <-late.C:
		tb.Fatalf("waited %v in vain until %s", Limit, what)
		panic("unreachable")
	}
}

// Deadline is Limit from now, for connections that would otherwise hang.
func Deadline() time.Time { return time.Now().Add(Limit) }
