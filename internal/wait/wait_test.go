package wait

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// recorder is a test that records its end.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.end = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ends returns how a test ends that calls f.
func ends(t *testing.T, f func(tb testing.TB)) string {
	t.Helper()
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() { defer close(done); f(r) }()
	<-done
	return r.end
}

func TestWaits(t *testing.T) {
	for name, c := range map[string]struct {
		event time.Duration // when it happens
		ok    bool
	}{"now": {0, true}, "late": {Limit - time.Second, true}, "never": {2 * Limit, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				until := ends(t, func(tb testing.TB) { Until(tb, "it happened", func() bool { return time.Since(begin) >= c.event }) })
				event := make(chan int, 1)
				time.AfterFunc(c.event, func() { event <- 7 })
				received := ends(t, func(tb testing.TB) {
					if got := For(tb, "it happened", event); got != 7 {
						t.Errorf("received %d", got)
					}
				})
				for which, end := range map[string]string{"Until": until, "For": received} {
					if (end == "") != c.ok || !c.ok && !strings.Contains(end, "in vain until it happened") {
						t.Errorf("%s ended with %q", which, end)
					}
				}
				time.Sleep(2 * Limit) // the bubble's own timers
			})
		})
	}
}
