// Command jwt compares jotgate's jwt package with other Go libraries, and with
// the floor: the work that no library can leave out. Every contender takes the
// value of an Authorization header and fills a struct of typed claims, or takes
// such a struct and makes a token. All run in one process, interleaved round by
// round, so that a busy machine is busy for all.
//
//	go run ./jwt                     # in bench/
//	GOEXPERIMENT=jsonv2 go run ./jwt # the contenders on the coming JSON package
package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// A race is one table: contenders doing the same work.
type race struct {
	title   string
	runners []runner
}

// A runner is one contender in one race.
type runner struct {
	name string
	run  func() error
}

type result struct {
	name   string
	best   float64 // ns per operation in the best round
	median float64
	bytes  uint64
	allocs float64
}

func main() {
	rounds := flag.Int("rounds", 14, "rounds, each of which runs every contender once")
	slice := flag.Duration("slice", 20*time.Millisecond, "how long one contender runs in a round")
	only := flag.String("only", "", "run the races whose title holds this text")
	flag.Parse()
	fmt.Printf("%s %s/%s, GOEXPERIMENT=%q, %d rounds of %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, os.Getenv("GOEXPERIMENT"), *rounds, *slice)
	for _, r := range races() {
		if strings.Contains(r.title, *only) {
			report(r.title, measure(r.runners, *rounds, *slice))
		}
	}
}

// measure runs the contenders in turn, round after round.
func measure(runners []runner, rounds int, slice time.Duration) []result {
	times := make([][]float64, len(runners))
	counts := make([]int, len(runners))
	for i, r := range runners {
		counts[i] = calibrate(r.run, slice)
	}
	for round := range rounds {
		for k := range runners {
			i := (k + round) % len(runners)
			runtime.GC()
			times[i] = append(times[i], repeat(runners[i].run, counts[i]))
		}
	}
	var results []result
	for i, r := range runners {
		slices.Sort(times[i])
		bytes, allocs := allocations(r.run)
		results = append(results, result{r.name, times[i][0], times[i][rounds/2], bytes, allocs})
	}
	return results
}

func calibrate(run func() error, slice time.Duration) int {
	n := 1
	for {
		if d := repeat(run, n) * float64(n); d > float64(slice)/4 {
			return max(1, int(float64(n)*float64(slice)/d))
		}
		n *= 2
	}
}

func repeat(run func() error, n int) (nsPerOp float64) {
	start := time.Now()
	for range n {
		if err := run(); err != nil {
			panic(err)
		}
	}
	return float64(time.Since(start)) / float64(n)
}

func allocations(run func() error) (bytes uint64, allocs float64) {
	const n = 200
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		run()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / n, testing.AllocsPerRun(n, func() { run() })
}

// report prints one table. Ratios are of best rounds: to the first row (the
// floor), and to jotgate.
func report(title string, results []result) {
	fmt.Printf("\n### %s\n\n| contender | best ns | median ns | B/op | allocs/op | / floor | / jotgate |\n|---|--:|--:|--:|--:|--:|--:|\n", title)
	floor := results[0].best
	own := results[slices.IndexFunc(results, func(r result) bool { return strings.HasPrefix(r.name, "jotgate") })].best
	slices.SortStableFunc(results[1:], func(a, b result) int { return cmp.Compare(a.best, b.best) })
	for _, r := range results {
		fmt.Printf("| %s | %.0f | %.0f | %d | %.0f | %.2f | %.2f |\n", r.name, r.best, r.median, r.bytes, r.allocs, r.best/floor, r.best/own)
	}
}
