// Package equaltime lets a test assert that a client cannot distinguish responses
// by the time they take:
//
//	equaltime.Check(t, 500, 0.03, map[string]func(int){"known": …, "unknown": …})
//
// # The statistical test
//
// A round asks for every response once, in random order, and a repetition has n
// rounds. For two responses a and b the rounds are counted in which a took more
// than 1+floor times as long as b. If a takes at most that much longer, this
// happens in at most half of the rounds, however slow or busy the machine is:
// other work hits a and b with the same probability, because their order is
// random. A sign test therefore rejects the pair if the count has a probability
// of less than 1 % (divided by the number of pairs) under a binomial
// distribution with p = 1/2.
//
// In a few processes one of two responses that do the same work took a tenth longer in
// every round, probably because of the place of its objects in memory. Therefore a random
// number of objects of each small size is allocated before each request, and it is made
// at a random depth of the stack.
//
// The check fails only if one pair is rejected in each of three repetitions:
// responses that take the same time fail once in 1,000,000 checks. A difference
// well above the floor, such as a password hash that is not computed, is found
// in every round.
package equaltime

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	repetitions = 3
	alpha       = 0.01 // the probability that a repetition rejects equal responses, over all pairs
)

// Check calls each function of ask n times, with the number of the round, and
// fails the test if one takes more than 1+floor times as long as another. With
// -short (the race detector) n is at most 20 and the floor at least 0.5.
func Check(t testing.TB, n int, floor float64, ask map[string]func(i int)) {
	t.Helper()
	CheckPrepared(t, n, floor, func(int) {}, ask)
}

// CheckPrepared is Check, and calls prepare before each round. The time that it takes is
// not part of a response.
func CheckPrepared(t testing.TB, n int, floor float64, prepare func(i int), ask map[string]func(i int)) {
	t.Helper()
	if testing.Short() {
		n, floor = min(n, 20), max(floor, 0.5)
	}
	start := time.Now()
	check(t, n, floor, ask, source{func() time.Duration { return time.Since(start) }, rand.Perm, prepare, scatter})
}

// source provides the times and the order of a round, and prepares the round and the
// place of each request.
type source struct {
	now     func() time.Duration
	perm    func(n int) []int
	prepare func(i int)
	place   func(f func())
}

func check(t testing.TB, n int, floor float64, ask map[string]func(i int), from source) {
	t.Helper()
	var names []string
	for name := range ask {
		names = append(names, name)
	}
	slices.Sort(names)
	var report strings.Builder
	var suspects []pair // rejected in every repetition so far
	for repetition := range repetitions {
		took := from.measure(n, names, ask)
		fmt.Fprintf(&report, "medians of %d rounds: %s", n, medians(names, took))
		var rejected []pair
		for _, p := range pairs(len(names)) {
			count, probability := compare(took[p.slow], took[p.fast], floor)
			if probability >= alpha/float64(len(names)*(len(names)-1)) || repetition > 0 && !slices.Contains(suspects, p) {
				continue
			}
			rejected = append(rejected, p)
			fmt.Fprintf(&report, "; %q over %.0f %% longer than %q in %d rounds, p = %.1g", names[p.slow], 100*floor, names[p.fast], count, probability)
		}
		if suspects = rejected; len(suspects) == 0 {
			t.Log(report.String())
			return
		}
		report.WriteString("\n")
	}
	t.Errorf("the time of a response shows which one it is, in %d repetitions:\n%s", repetitions, report.String())
}

// pair is two responses, by their index.
type pair struct{ slow, fast int }

// pairs are all ordered pairs of n responses.
func pairs(n int) (all []pair) {
	for slow := range n {
		for fast := range n {
			if slow != fast {
				all = append(all, pair{slow, fast})
			}
		}
	}
	return all
}

// measure returns the times of each response by the round.
func (s source) measure(n int, names []string, ask map[string]func(i int)) [][]time.Duration {
	took := make([][]time.Duration, len(names))
	for round := range n {
		s.prepare(round)
		for _, j := range s.perm(len(names)) {
			s.place(func() {
				start := s.now()
				ask[names[j]](round)
				took[j] = append(took[j], s.now()-start)
			})
		}
	}
	return took
}

// scatter calls f at a random depth of the stack, after it has allocated up to 31 objects
// of each size up to 512 bytes.
func scatter(f func()) {
	var kept [][]byte
	for size := 16; size <= 512; size += 16 {
		for range rand.IntN(32) {
			kept = append(kept, make([]byte, size))
		}
	}
	atDepth(rand.IntN(maxDepth), f)
	runtime.KeepAlive(kept)
}

// maxDepth calls of atDepth take about a page of the stack.
const maxDepth = 64

// atDepth calls f below n further calls.
//
//go:noinline
func atDepth(n int, f func()) (sum byte) {
	var frame [32]byte
	frame[n%len(frame)] = 1
	if n == 0 {
		f()
	} else {
		sum = atDepth(n-1, f)
	}
	return sum + frame[n/2%len(frame)]
}

// compare counts the rounds in which slow took more than 1+floor times as long
// as fast, and returns the probability of that many or more under a binomial
// distribution with p = 1/2.
func compare(slow, fast []time.Duration, floor float64) (count int, probability float64) {
	for i := range slow {
		if float64(slow[i]) > (1+floor)*float64(fast[i]) {
			count++
		}
	}
	n := float64(len(slow))
	for k := count; k <= len(slow); k++ {
		probability += math.Exp(lgamma(n+1) - lgamma(float64(k)+1) - lgamma(n-float64(k)+1) - n*math.Ln2)
	}
	return count, probability
}

func lgamma(x float64) float64 { v, _ := math.Lgamma(x); return v }

func medians(names []string, took [][]time.Duration) string {
	var parts []string
	for i, name := range names {
		times := slices.Sorted(slices.Values(took[i]))
		parts = append(parts, fmt.Sprintf("%q %v", name, times[len(times)/2].Round(time.Microsecond)))
	}
	return strings.Join(parts, ", ")
}
