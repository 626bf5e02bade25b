package equaltime

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// recorder is a test that records its failure.
type recorder struct {
	testing.TB
	failure string
}

func (r *recorder) Errorf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }
func (r *recorder) Helper()                           {}
func (r *recorder) Log(...any)                        {}

// machine is a made-up machine with a clock: a response takes its time, and
// sometimes, at random, that of other programs as well.
type machine struct {
	random *rand.Rand
	now    time.Duration
	busy   float64 // the probability that a response is interrupted
}

func (m *machine) source() source {
	return source{func() time.Duration { return m.now }, m.random.Perm, func(int) {}, func(f func()) { f() }}
}

func (m *machine) takes(work time.Duration) func(int) {
	return func(int) {
		m.now += time.Duration(float64(work) * (1 + 0.02*m.random.NormFloat64()))
		if m.random.Float64() < m.busy {
			m.now += time.Duration(m.random.ExpFloat64() * float64(20*time.Millisecond))
		}
	}
}

func TestCheck(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name      string
		a, b      time.Duration
		busy      float64
		different bool
	}{
		{"equal", 5 * ms, 5 * ms, 0, false},
		{"equal on a busy machine", 5 * ms, 5 * ms, 0.9, false},
		{"below the floor", 5 * ms, 5*ms + ms/20, 0, false},
		{"below the floor on a busy machine", 5 * ms, 5*ms + ms/20, 0.9, false},
		{"above the floor", 5 * ms, 5*ms + ms/2, 0, true},
		{"twice as long on a busy machine", 5 * ms, 10 * ms, 0.5, true},
		{"no hash on a busy machine", ms / 10, 5 * ms, 0.6, true},
	} {
		m := &machine{rand.New(rand.NewPCG(1, 2)), 0, c.busy}
		r := &recorder{TB: t}
		check(r, 200, 0.03, map[string]func(int){"a": m.takes(c.a), "b": m.takes(c.b), "c": m.takes(c.a)}, m.source())
		if (r.failure != "") != c.different {
			t.Errorf("%s: %q", c.name, r.failure)
		}
		if c.different && (strings.Count(r.failure, `"b" over 3 % longer than "a"`) != repetitions || !strings.Contains(r.failure, `medians of 200 rounds: "a" `)) {
			t.Errorf("%s: the failure does not say what was measured: %s", c.name, r.failure)
		}
	}
}

// What prepares a round is not measured.
func TestPrepared(t *testing.T) {
	m := &machine{random: rand.New(rand.NewPCG(1, 2))}
	from, prepared := m.source(), 0
	from.prepare = func(i int) {
		if i != prepared {
			t.Errorf("round %d is prepared after %d", i, prepared)
		}
		prepared++
		m.now += time.Hour
	}
	for i, times := range from.measure(10, []string{"a", "b"}, map[string]func(int){"a": m.takes(time.Second), "b": m.takes(time.Second)}) {
		if slices.Max(times) > time.Minute {
			t.Errorf("response %d took %v", i, times)
		}
	}
	if prepared != 10 {
		t.Errorf("prepared %d rounds of 10", prepared)
	}
}

// With no floor, the worst case, a repetition rejects equal responses in at most
// one of a hundred checks.
func TestErrorRate(t *testing.T) {
	const checks = 5_000
	m := &machine{rand.New(rand.NewPCG(3, 4)), 0, 0.5}
	names := []string{"a", "b", "c"}
	ask := map[string]func(int){"a": m.takes(time.Millisecond), "b": m.takes(time.Millisecond), "c": m.takes(time.Millisecond)}
	rejected := 0
	for range checks {
		took := m.source().measure(100, names, ask)
		for _, p := range pairs(len(names)) {
			if _, probability := compare(took[p.slow], took[p.fast], 0); probability < alpha/6 {
				rejected++
				break
			}
		}
	}
	if rate := float64(rejected) / checks; rate > alpha {
		t.Errorf("%.2f %% of equal responses were rejected", 100*rate)
	}
}

func TestCompare(t *testing.T) {
	times := func(n int, d time.Duration) (all []time.Duration) {
		for range n {
			all = append(all, d)
		}
		return all
	}
	for _, c := range []struct {
		slower, equal int // of ten rounds
		want          float64
	}{{10, 0, 1.0 / 1024}, {9, 1, 11.0 / 1024}, {5, 5, 638.0 / 1024}, {0, 10, 1}} {
		slow := append(times(c.slower, 3), times(c.equal, 1)...)
		if count, p := compare(slow, times(10, 1), 1); count != c.slower || p < c.want-1e-9 || p > c.want+1e-9 {
			t.Errorf("%d of 10: %d rounds, p = %v, want %v", c.slower, count, p, c.want)
		}
	}
}

// The clock that Check reads is the real one.
func TestRealClock(t *testing.T) {
	r := &recorder{TB: t}
	Check(r, 100, 0.5, map[string]func(int){"none": func(int) {}, "one": func(int) { time.Sleep(time.Millisecond) }})
	if r.failure == "" {
		t.Error("a millisecond passed unnoticed")
	}
}

// scatter calls its function once, at several depths of the stack.
func TestScatter(t *testing.T) {
	depths := map[int]bool{}
	for n := range 100 {
		before := len(depths)
		scatter(func() {
			var callers [2 * maxDepth]uintptr
			depths[runtime.Callers(0, callers[:])] = true
			before = -1
		})
		if before != -1 {
			t.Fatalf("call %d did nothing", n)
		}
	}
	if len(depths) < 10 {
		t.Errorf("%d depths", len(depths))
	}
}
