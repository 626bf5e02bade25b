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
	default:
		clock.fill(clock.estimate(target)-clock.estimate(spent), password)
	}
}

// unit splits the cost of a recipe in a kind that is measured and a number of such
// units. The number is 0 for those that cost next to nothing.
func (r recipe) unit() (kind recipe, count float64) {
	switch r.algorithm {
	case "pbkdf2_sha256", "pbkdf2_sha1":
		return recipe{algorithm: r.algorithm}, float64(r.passes)
	case "bcrypt", "bcrypt_sha256":
		return recipe{algorithm: "bcrypt"}, math.Exp2(float64(r.passes))
	case "argon2", "scrypt":
		return r, 1
	}
	return recipe{}, 0
}

// sample is a recipe of the same kind that is worth measuring and soon done.
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

// fill spends the given time, as far as it is worth it.
func (s *stopwatch) fill(missing time.Duration, password string) {
	work := filler
	work.passes = min(int(float64(missing)/float64(s.estimate(filler))*float64(filler.passes)), maxIterations)
	if work.passes > 0 {
		s.learn(work, s.run(work, password))
	}
}

// learn moves the estimate a step towards what was seen: in the long run it stays
// where as many runs are faster as slower.
func (s *stopwatch) learn(r recipe, took time.Duration) {
	kind, count := r.unit()
	if count == 0 {
		return
	}
	seen := float64(took) / count
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

// estimate says how long r takes, measuring it first when its kind is new.
func (s *stopwatch) estimate(r recipe) time.Duration {
	kind, count := r.unit()
	s.mu.Lock()
	m := s.units[kind]
	if m == nil && count > 0 {
		s.mu.Unlock()
		took := s.run(r.sample(), "")
		s.learn(r.sample(), took)
		_, of := r.sample().unit()
		return time.Duration(float64(took) * count / of)
	}
	defer s.mu.Unlock()
	if m == nil {
		return 0
	}
	return time.Duration(m.nanoseconds * count)
}
