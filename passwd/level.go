package passwd

// Why every answer takes the same time: Check spends, after the hash it was given,
// the work that is missing to the dearest hash the Hasher knows of. Django does so
// for fewer iterations of its preferred algorithm (harden_runtime) and for unknown
// users; here it also holds between algorithms.
//
// Work is counted in time, learned from the hashes that run anyway. The estimates
// follow the median, so they are not thrown by a pause, and all of them by the same
// rule, so they rise and fall together with the load of the machine.

import (
	"bytes"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// mostLevelled bounds the time that is imitated: a single damaged or foreign
	// row must not make every failed login take longer than this.
	mostLevelled = 2 * time.Second
	// mostKinds bounds the dearer recipes that a Hasher remembers.
	mostKinds = 16
	// leastMeasured is the shortest run worth learning from.
	leastMeasured = 100 * time.Microsecond
	// mostUnits bounds the estimates kept; beyond it they are learned anew.
	mostUnits = 256
)

// filler is what missing work is made of: its passes can be chosen finely.
var filler = recipe{algorithm: "pbkdf2_sha256", passes: 4096, size: 32}

// dearest remembers the recipes met that cost more than the preferred one.
type dearest struct {
	mu    sync.Mutex
	kinds []recipe
}

// remember adds a recipe met in Check.
func (h *Hasher) remember(met recipe) {
	target := h.target()
	if met == target {
		return
	}
	cost := h.clock().estimate(met)
	if cost > mostLevelled || cost <= h.clock().estimate(target) {
		return
	}
	h.dearest.mu.Lock()
	defer h.dearest.mu.Unlock()
	if len(h.dearest.kinds) < mostKinds && !slices.Contains(h.dearest.kinds, met) {
		h.dearest.kinds = append(h.dearest.kinds, met)
	}
}

// target is the recipe whose time every Check takes.
func (h *Hasher) target() recipe {
	h.dearest.mu.Lock()
	kinds := slices.Clone(h.dearest.kinds)
	h.dearest.mu.Unlock()
	most := h.prefers()
	for _, kind := range kinds {
		if h.clock().estimate(kind) > h.clock().estimate(most) {
			most = kind
		}
	}
	return most
}

// level adds to the recipe that has been computed what it lacks to the target.
// Where nothing to speak of was computed, that is the target itself.
func (h *Hasher) level(password string, spent recipe) {
	target, clock := h.target(), h.clock()
	_, count := spent.unit()
	switch {
	case spent == target:
	case count == 0:
		clock.learn(target, clock.run(target, password))
	case spent.algorithm == filler.algorithm && target.algorithm == filler.algorithm:
		clock.spend(target.passes-spent.passes, password) // exact, and what Django does
	default:
		clock.rest(target, spent, password)
	}
}

// part is a recipe of the same kind with a share of the work, for those algorithms
// that can be divided finely. It behaves as the whole on a busy machine.
func (r recipe) part(share float64) (part recipe, divisible bool) {
	switch r.algorithm {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		r.passes = max(1, int(float64(r.passes)*share))
		return r, true
	case "argon2":
		r.memory = max(8*r.lanes, int(float64(r.memory)*share))
		return r, true
	}
	return r, false
}

// unit splits the cost of a recipe in a kind that is measured and a number of such
// units. The number is 0 for those that cost next to nothing. Runs of very different
// length are different kinds, because on a busy machine the long ones are
// interrupted and the short ones are not.
func (r recipe) unit() (kind recipe, count float64) {
	switch r.algorithm {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		return recipe{algorithm: r.algorithm, passes: bits.Len(uint(r.passes))}, float64(r.passes)
	case "bcrypt", "bcrypt_sha256":
		return recipe{algorithm: "bcrypt", passes: r.passes}, math.Exp2(float64(r.passes))
	case "argon2", "scrypt":
		return r, 1
	}
	return recipe{}, 0
}

// sample is a recipe of the same algorithm that is worth measuring and soon done.
func (r recipe) sample() recipe {
	switch r.algorithm {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		r.passes = 4096
	case "bcrypt", "bcrypt_sha256":
		r.passes = 7
	}
	return r
}

// A stopwatch knows what this machine needs for a unit of each kind.
type stopwatch struct {
	compute func(h hash, password string) bool
	mu      sync.Mutex
	units   map[recipe]*measure
}

type measure struct {
	nanoseconds float64
	runs        int
}

// machine is the stopwatch of all Hashers.
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

// matches compares, and learns from it.
func (s *stopwatch) matches(h hash, password string) bool {
	start := time.Now()
	ok := s.compute(h, password)
	if took := time.Since(start); took >= leastMeasured {
		s.learn(h.recipe, took)
	}
	return ok
}

// run computes r for nothing and says how long it took.
func (s *stopwatch) run(r recipe, password string) time.Duration {
	start := time.Now()
	s.compute(hash{r, strings.Repeat(".", saltLength), bytes.Repeat([]byte{'.'}, r.size)}, password)
	return time.Since(start)
}

// rest computes what spent lacks to target: a part of target or, where that cannot
// be divided, filler for as long.
func (s *stopwatch) rest(target, spent recipe, password string) {
	whole, done := s.estimate(target), s.estimate(spent)
	share := 1 - float64(done)/float64(max(whole, 1))
	if share <= 0 {
		return
	}
	part, divisible := target.part(share)
	if !divisible {
		s.fill(whole-done, password)
		return
	}
	took := s.run(part, password)
	if share > 0.5 { // near enough to tell of the whole
		s.learn(target, time.Duration(float64(took)/share))
	}
}

// fill computes filler for so long, as far as that can be foretold. What it learns
// is kept by the length of the gap, not by that of the work: the next gap of this
// length then gets the corrected work.
func (s *stopwatch) fill(gap time.Duration, password string) {
	kind := recipe{algorithm: "gap", passes: bits.Len64(uint64(gap))}
	each, known := s.known(kind)
	if !known {
		each = max(1, float64(s.estimate(filler))/float64(filler.passes))
		s.note(kind, each)
	}
	passes := min(max(1, int(float64(gap)/each)), maxIterations)
	s.note(kind, float64(s.spend(passes, password))/float64(passes))
}

// spend computes so many passes of filler and says how long it took.
func (s *stopwatch) spend(passes int, password string) time.Duration {
	if passes < 1 {
		return 0
	}
	work := filler
	work.passes = passes
	return s.run(work, password)
}

// learn notes how long r took.
func (s *stopwatch) learn(r recipe, took time.Duration) {
	if kind, count := r.unit(); count > 0 {
		s.note(kind, float64(took)/count)
	}
}

// note moves the estimate of a kind a step towards the nanoseconds seen for a unit:
// in the long run it stays where as many runs are faster as slower.
func (s *stopwatch) note(kind recipe, seen float64) {
	if seen <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.units[kind]
	if m == nil {
		if len(s.units) >= mostUnits {
			clear(s.units)
		}
		s.units[kind] = &measure{seen, 1}
		return
	}
	m.runs++
	step := m.nanoseconds / float64(min(m.runs*2, 64))
	m.nanoseconds += min(step, max(-step, seen-m.nanoseconds))
}

// estimate says how long r takes: as its kind did, or else as a sample does.
func (s *stopwatch) estimate(r recipe) time.Duration {
	kind, count := r.unit()
	if count == 0 {
		return 0
	}
	if each, known := s.known(kind); known {
		return time.Duration(each * count)
	}
	sample := r.sample()
	kind, of := sample.unit()
	each, known := s.known(kind)
	if !known {
		// a single one may be interrupted for long
		took := min(s.run(sample, ""), s.run(sample, ""), s.run(sample, ""))
		s.learn(sample, took)
		each = max(1, float64(took)) / of
	}
	return time.Duration(each * count)
}

// known returns the nanoseconds for a unit of a kind that has run.
func (s *stopwatch) known(kind recipe) (each float64, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.units[kind]; m != nil {
		return m.nanoseconds, true
	}
	return 0, false
}
