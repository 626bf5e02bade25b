package passwd

// Equal time: after the hash that it was given, Check does the work that is missing
// to the costliest hash that the Hasher has seen. Django does so for fewer
// iterations of its preferred algorithm (harden_runtime) and for unknown users; here
// it also holds between algorithms.
//
// Work is measured in time, learned from the hashes that are computed anyway. The
// estimates follow the median, so that a pause of the process does not distort them,
// and all follow it by the same rule, so that they rise and fall together with the
// load of the machine.

import (
	"bytes"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// maxRemembered bounds the recipes that a Hasher remembers as costlier than
	// its own.
	maxRemembered = 16
	// minMeasured is the shortest run worth learning from.
	minMeasured = 100 * time.Microsecond
	// maxEstimates bounds the estimates; when it is reached, all are dropped and
	// learned again.
	maxEstimates = 256
)

// paddingRecipe fills gaps of any length: its passes are a fine unit of work.
var paddingRecipe = recipe{algorithm: "pbkdf2_sha256", passes: 4096, size: 32}

// costliest remembers the recipes seen that cost more than the preferred one. What
// a stored hash may cost is bounded by the limits, which are checked before.
type costliest struct {
	mu   sync.Mutex
	seen []recipe
}

// remember adds the recipe of a hash that Check has computed.
func (h *Hasher) remember(r recipe) {
	target := h.target()
	if !h.clock().costlier(r, target) {
		return
	}
	h.costliest.mu.Lock()
	defer h.costliest.mu.Unlock()
	if slices.Contains(h.costliest.seen, r) {
		return
	}
	if len(h.costliest.seen) == maxRemembered {
		h.costliest.seen = h.costliest.seen[1:] // r costs more than all of them
	}
	h.costliest.seen = append(h.costliest.seen, r)
}

// target returns the recipe whose time every Check takes.
func (h *Hasher) target() recipe {
	h.costliest.mu.Lock()
	seen := slices.Clone(h.costliest.seen)
	h.costliest.mu.Unlock()
	target := h.prefers()
	for _, r := range seen {
		if h.clock().costlier(r, target) {
			target = r
		}
	}
	return target
}

// equalize does the work that the computed recipe lacks to the target: all of it if
// nothing was computed (the zero recipe) or the algorithm costs next to nothing.
func (h *Hasher) equalize(password string, computed recipe) {
	target, clock := h.target(), h.clock()
	switch {
	case computed == target:
	case computed.costless():
		clock.learn(target, clock.run(target, password))
	case computed.algorithm == paddingRecipe.algorithm && target.algorithm == paddingRecipe.algorithm:
		clock.padPasses(target.passes-computed.passes, password) // exact, and what Django does
	default:
		clock.padRemaining(target, computed, password)
	}
}

// costless reports the recipe of no hash, and one that costs next to nothing.
func (r recipe) costless() bool {
	if r == (recipe{}) {
		return true
	}
	_, count := r.kind().work(r)
	return count == 0
}

// A stopwatch knows what this machine needs for a unit of each kind of work.
type stopwatch struct {
	compute func(h hash, password string) bool
	mu      sync.Mutex
	units   map[recipe]*measure
}

type measure struct {
	nanoseconds float64
	runs        int
}

// machine is the stopwatch that all Hashers share.
var machine = newStopwatch(hash.matches)

func newStopwatch(compute func(hash, string) bool) *stopwatch {
	return &stopwatch{compute: compute, units: map[recipe]*measure{}}
}

func (h *Hasher) clock() *stopwatch {
	if h.watch != nil {
		return h.watch
	}
	return machine
}

// matches compares, and learns from the time that it takes.
func (s *stopwatch) matches(h hash, password string) bool {
	start := time.Now()
	ok := s.compute(h, password)
	if took := time.Since(start); took >= minMeasured {
		s.learn(h.recipe, took)
	}
	return ok
}

// run computes r for its time alone and returns that time.
func (s *stopwatch) run(r recipe, password string) time.Duration {
	start := time.Now()
	s.compute(hash{r, strings.Repeat(".", saltLength), bytes.Repeat([]byte{'.'}, r.size)}, password)
	return time.Since(start)
}

// padRemaining computes what computed lacks to target: a part of target or, if that
// cannot be divided, padding for as long.
func (s *stopwatch) padRemaining(target, computed recipe, password string) {
	whole, done := s.estimate(target), s.estimate(computed)
	share := 1 - float64(done)/float64(max(whole, 1))
	if share <= 0 {
		return
	}
	part, divisible := target.kind().part(target, share)
	if !divisible {
		s.pad(whole-done, password)
		return
	}
	took := s.run(part, password)
	if share > 0.5 { // enough to estimate the whole from
		s.learn(target, time.Duration(float64(took)/share))
	}
}

// pad computes padding for about this long. What it learns is kept by the length of
// the gap, not by that of the work: the next gap of this length then gets the
// corrected work.
func (s *stopwatch) pad(gap time.Duration, password string) {
	kind := recipe{algorithm: "gap", passes: bits.Len64(uint64(gap))}
	each, known := s.known(kind)
	if !known {
		each = max(1, float64(s.estimate(paddingRecipe))/float64(paddingRecipe.passes))
		s.note(kind, each)
	}
	passes := min(max(1, int(float64(gap)/each)), paddingRecipe.kind().ceiling().passes)
	s.note(kind, float64(s.padPasses(passes, password))/float64(passes))
}

// padPasses computes this many passes of padding and returns how long it took.
func (s *stopwatch) padPasses(passes int, password string) time.Duration {
	if passes < 1 {
		return 0
	}
	work := paddingRecipe
	work.passes = passes
	return s.run(work, password)
}

// learn notes how long r took.
func (s *stopwatch) learn(r recipe, took time.Duration) {
	if unit, count := r.kind().work(r); count > 0 {
		s.note(unit, float64(took)/count)
	}
}

// note moves the estimate of a unit a step towards the nanoseconds observed: in the
// long run half of the runs are faster than the estimate and half are slower.
func (s *stopwatch) note(unit recipe, observed float64) {
	if observed <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.units[unit]
	if m == nil {
		if len(s.units) >= maxEstimates {
			clear(s.units)
		}
		s.units[unit] = &measure{observed, 1}
		return
	}
	m.runs++
	step := m.nanoseconds / float64(min(m.runs*2, 64))
	m.nanoseconds += min(step, max(-step, observed-m.nanoseconds))
}

// estimate returns how long r takes, from earlier runs of the same kind or else from
// a sample. It is 0 for a costless recipe.
func (s *stopwatch) estimate(r recipe) time.Duration {
	if r.costless() {
		return 0
	}
	unit, count := r.kind().work(r)
	if each, known := s.known(unit); known {
		return time.Duration(each * count)
	}
	sample := r.kind().sample(r)
	unit, of := sample.kind().work(sample)
	each, known := s.known(unit)
	if !known {
		// A single run may be interrupted for long.
		took := min(s.run(sample, ""), s.run(sample, ""), s.run(sample, ""))
		s.learn(sample, took)
		each = max(1, float64(took)) / of
	}
	return time.Duration(each * count)
}

// costlier reports whether a takes longer than b: by their passes if they differ in
// nothing else, and by their estimates, which an interruption distorts, only otherwise.
func (s *stopwatch) costlier(a, b recipe) bool {
	same := b
	same.passes = a.passes
	if a == same {
		return a.passes > b.passes
	}
	return s.estimate(a) > s.estimate(b)
}

// known returns the nanoseconds for a unit that has been measured.
func (s *stopwatch) known(unit recipe) (each float64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.units[unit]; m != nil {
		return m.nanoseconds, true
	}
	return 0, false
}
