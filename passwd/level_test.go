//go:build unix

package passwd

// Equal time for every answer: measured, and the reckoning behind it.

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kinds are stored texts that may not be told apart by time.
func kinds(t testing.TB, h *Hasher) map[string]string {
	t.Helper()
	current, err := h.Make("right")
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"wrong": current, "unknown": "", "unusable": Unusable(), "broken": "pbkdf2_sha256$x$y$z"}
	for name, setting := range map[string]string{
		"old pbkdf2": "pbkdf2_sha256:1000", "sha1": "pbkdf2_sha1:3000", "argon2": "argon2:m=1024,t=1",
		"bcrypt": "bcrypt_sha256:4", "scrypt": "scrypt:n=256,r=8,p=1",
	} {
		other, err := New(setting)
		if err != nil {
			t.Fatal(err)
		}
		if kinds[name], err = other.Make("right"); err != nil {
			t.Fatal(err)
		}
	}
	kinds["md5"] = "md5$seasaltSeasaltSeasalt1$d67156a049dd795b554a629f823ad540"
	return kinds
}

// cpuTime is the processor time of this process, which other programs on a busy
// machine disturb less than the clock.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// medians checks a wrong password of each kind in turn, rounds times.
func medians(t testing.TB, h *Hasher, kinds map[string]string, rounds int) map[string]time.Duration {
	took := map[string][]time.Duration{}
	names := slices.Collect(maps.Keys(kinds))
	for range rounds {
		// A map's order is not random enough: a kind would follow the same one
		// again and again, and find the memory as that one left it.
		rand.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for _, name := range names {
			start := cpuTime(t)
			h.Check("wrong", kinds[name])
			took[name] = append(took[name], cpuTime(t)-start)
		}
	}
	out := map[string]time.Duration{}
	for name, times := range took {
		slices.Sort(times)
		out[name] = times[len(times)/2].Round(time.Microsecond)
	}
	return out
}

// spread is how much more the slowest takes than the fastest, as a fraction.
func spread(medians map[string]time.Duration) float64 {
	least, most := time.Duration(1<<62), time.Duration(0)
	for _, m := range medians {
		least, most = min(least, m), max(most, m)
	}
	return float64(most)/float64(least) - 1
}

// BenchmarkEqualTime reports the medians of the processor time that each kind
// takes, and by which part the slowest takes more than the fastest; the figures
// are in docs/passwords.md. TestEqualReckoning is the exact test.
func BenchmarkEqualTime(b *testing.B) {
	for _, setting := range []string{"pbkdf2_sha256:20000", "argon2", "django-4.2"} {
		b.Run(setting, func(b *testing.B) {
			h, err := New(setting)
			if err != nil {
				b.Fatal(err)
			}
			kinds := kinds(b, h)
			medians(b, h, kinds, 8) // learn
			b.ResetTimer()
			got := medians(b, h, kinds, b.N)
			b.ReportMetric(100*spread(got), "%spread")
			for kind, median := range got {
				b.ReportMetric(float64(median.Microseconds()), strings.ReplaceAll(kind, " ", "_")+"-µs")
			}
		})
	}
}

// TestCostlierHash: a hash costlier than the preferred one must not be
// distinguishable either, once it was seen.
func TestCostlierHash(t *testing.T) {
	h, err := New("argon2:m=512,t=1")
	if err != nil {
		t.Fatal(err)
	}
	dear, err := (&Hasher{preferred: recipe{algorithm: "pbkdf2_sha256", passes: 15_000, size: 32}}).Make("right")
	if err != nil {
		t.Fatal(err)
	}
	if h.target() != h.prefers() {
		t.Fatalf("target before = %v", h.target())
	}
	h.watch = newStopwatch(func(hash, string) bool { return false })
	h.watch.learn(h.prefers(), time.Millisecond)
	h.watch.learn(recipe{algorithm: "pbkdf2_sha256", passes: 15_000, size: 32}, 2*time.Millisecond)
	h.Check("wrong", dear)
	if got := h.target(); got.passes != 15_000 {
		t.Errorf("target after = %v", got)
	}
	if got := h.Memory(""); got != 0 {
		t.Errorf("an unknown user takes %d bytes, want what the costliest hash takes", got)
	}
}

// TestCostliestBounded: a hash above the limit is not imitated, and the costliest
// hashes are remembered, however many there are.
func TestCostliestBounded(t *testing.T) {
	h := cheap(t)
	// The preferred hash was interrupted when it was measured: it seems to take
	// longer than any of the costlier ones.
	h.watch = newStopwatch(hash.matches)
	h.watch.learn(h.prefers(), time.Hour)
	h.Check("x", strings.Replace(valid["bcrypt"], "$04$", "$17$", 1))
	if got := h.target(); got != h.prefers() {
		t.Errorf("target = %v after a hash above the limit", got)
	}
	for i := range 2 * maxRemembered {
		h.remember(recipe{algorithm: "pbkdf2_sha256", passes: 2000 + i, size: 32})
	}
	if n := len(h.costliest.seen); n != maxRemembered {
		t.Errorf("remembers %d recipes, want %d", n, maxRemembered)
	}
	if got, want := h.target().passes, 2000+2*maxRemembered-1; got != want {
		t.Errorf("target has %d iterations, want those of the costliest, %d", got, want)
	}
}

// TestPart: a share of the work, but never less than the algorithm takes.
func TestPart(t *testing.T) {
	argon2 := recipe{algorithm: "argon2", variant: "argon2id", version: 19, passes: 2, memory: 1000, parallelism: 4, size: 32}
	pbkdf2 := recipe{algorithm: "pbkdf2_sha1", passes: 1000, size: 20}
	for _, c := range []struct {
		whole  recipe
		share  float64
		passes int
		memory int
	}{{argon2, 0.5, 2, 500}, {argon2, 0.001, 2, 32}, {pbkdf2, 0.25, 250, 0}, {pbkdf2, 0.0001, 1, 0}} {
		part, divisible := c.whole.kind().part(c.whole, c.share)
		want := c.whole
		want.passes, want.memory = c.passes, c.memory
		if part != want || !divisible {
			t.Errorf("%v of %v is %v, %v", c.share, c.whole, part, divisible)
		}
	}
	if part, divisible := (scryptAlgorithm{}).part(recipe{algorithm: "scrypt", passes: 16}, 0.5); divisible || part.passes != 16 {
		t.Errorf("scrypt is divided: %v", part)
	}
}

func TestStopwatch(t *testing.T) {
	s := newStopwatch(hash.matches)
	r := recipe{algorithm: "argon2", variant: "argon2id", version: 19, passes: 1, memory: 64, parallelism: 1, size: 16}
	for range 200 {
		s.learn(r, 10*time.Millisecond)
	}
	s.learn(r, time.Hour) // a pause of the machine
	if got := s.estimate(r); got < 9*time.Millisecond || got > 11*time.Millisecond {
		t.Errorf("estimate after a pause = %v, want 10ms", got)
	}
	for range 500 {
		s.learn(r, 20*time.Millisecond)
	}
	if got := s.estimate(r); got < 19*time.Millisecond || got > 21*time.Millisecond {
		t.Errorf("estimate after the machine slowed = %v, want 20ms", got)
	}
	if got := s.estimate(recipe{algorithm: "md5"}); got != 0 {
		t.Errorf("estimate of md5 = %v, want 0", got)
	}
	for i := range 2 * maxEstimates {
		r.size = 4 + i
		s.learn(r, time.Millisecond)
		if len(s.units) > maxEstimates {
			t.Fatalf("%d units kept, want at most %d", len(s.units), maxEstimates)
		}
	}
	if got := fmt.Sprint(s.estimate(recipe{algorithm: "bcrypt", variant: "2b", passes: 9, size: bcryptDigest}) > 0); got != "true" {
		t.Errorf("nothing measured for a new kind")
	}
}
