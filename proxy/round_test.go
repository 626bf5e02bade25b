package proxy_test

// Tests of which a client has to be punctual.

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jotgate/jotgate/internal/wait"
)

// limit is how long a client may take for a piece. A client that may be slow takes
// a quarter of it.
const limit = 2 * time.Second

// punctually runs a test that fails if the gate, or a client of it, is late. A round
// that fails shows nothing if the process stopped meanwhile, and is repeated.
func punctually(t *testing.T, test func(t testing.TB)) {
	t.Helper()
	wait.Until(t, "a round without a stop", func() bool {
		r, ended, longest := &round{TB: t}, make(chan struct{}), stops()
		go func() {
			defer close(ended)
			test(r)
		}()
		<-ended
		stop := longest()
		if len(r.failures) == 0 {
			return true
		}
		text := strings.Join(r.failures, "\n")
		if stop < limit/4 {
			t.Error(text)
			return true
		}
		t.Logf("repeated, because the process stopped for %v: %s", stop, text)
		return false
	})
}

// stops returns a function that returns the longest time for which the process, or
// one goroutine of it, did not run.
func stops() (longest func() time.Duration) {
	asked, result := make(chan struct{}), make(chan time.Duration)
	before := time.Now()
	go func() {
		var most time.Duration
		for last := false; !last; {
			select {
			case <-asked:
				last = true
			default:
			}
			time.Sleep(limit / 100)
			now := time.Now()
			most, before = max(most, now.Sub(before)), now
		}
		result <- most
	}()
	return func() time.Duration {
		close(asked)
		return <-result
	}
}

// round is a test that collects its failures.
type round struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (r *round) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *round) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *round) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *round) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
