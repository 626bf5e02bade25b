// Package rounds measures contenders that do the same work, alternating in one process,
// so that other load on the machine affects all of them. The result is the ratio within a
// round; absolute times are for orientation only.
package rounds

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// A Contender is one way of doing the work.
type Contender struct {
	Name string
	Run  func()
}

// A Result is what one contender needs per operation.
type Result struct {
	Name         string
	Best, Median float64 // nanoseconds, of the rounds
	Bytes        uint64  // allocated
	Allocs       float64
	Rounds       []float64 // nanoseconds, in the order of the rounds
}

// Times returns how many times longer it took than another: the median of the ratios
// within the rounds.
func (r Result) Times(other Result) float64 {
	ratios := make([]float64, len(r.Rounds))
	for i := range ratios {
		ratios[i] = r.Rounds[i] / other.Rounds[i]
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// Median returns the median of the values.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Run lets every contender work for a slice of time in every round, in rotating order.
// The clock is Wall or Processor.
func Run(contenders []Contender, rounds int, slice time.Duration, clock Clock) []Result {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	results := make([]Result, len(contenders))
	counts := make([]int, len(contenders))
	for i, c := range contenders {
		results[i].Name, counts[i] = c.Name, calibrate(c.Run, slice, clock)
	}
	for round := range rounds {
		for k := range contenders {
			i := (k + round) % len(contenders)
			runtime.GC()
			results[i].Rounds = append(results[i].Rounds, repeat(contenders[i].Run, counts[i], clock))
		}
	}
	for i, c := range contenders {
		sorted := slices.Sorted(slices.Values(results[i].Rounds))
		results[i].Best, results[i].Median = sorted[0], sorted[len(sorted)/2]
		results[i].Bytes, results[i].Allocs = allocations(c.Run)
	}
	return results
}

// calibrate returns how many operations take about one slice.
func calibrate(run func(), slice time.Duration, clock Clock) int {
	for n := 1; ; n *= 2 {
		if took := repeat(run, n, clock) * float64(n); took > float64(slice)/4 {
			return max(1, int(float64(n)*float64(slice)/took))
		}
	}
}

func repeat(run func(), n int, clock Clock) (perOperation float64) {
	start := clock()
	for range n {
		run()
	}
	return float64(clock()-start) / float64(n)
}

func allocations(run func()) (bytes uint64, allocs float64) {
	const n = 500
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		run()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / n, testing.AllocsPerRun(n, run)
}
