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
	"time"

	"github.com/jotgate/jotgate/bench/rounds"
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

func main() {
	count := flag.Int("rounds", 61, "number of rounds")
	slice := flag.Duration("slice", 10*time.Millisecond, "duration of one contender in a round")
	only := flag.String("only", "", "run only the races whose title contains this text")
	processor := flag.Bool("processor", false, "measure processor time instead of wall time, for a busy machine")
	flag.Parse()
	fmt.Printf("%s %s/%s, GOEXPERIMENT=%q, %d rounds of %v\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, os.Getenv("GOEXPERIMENT"), *count, *slice)
	for _, r := range races() {
		if strings.Contains(r.title, *only) {
			report(r.title, rounds.Run(contenders(r.runners), *count, *slice, rounds.Of(*processor)))
		}
	}
}

// contenders converts the runners for package rounds. An error is a panic.
func contenders(runners []runner) (list []rounds.Contender) {
	for _, r := range runners {
		list = append(list, rounds.Contender{Name: r.name, Run: func() {
			if err := r.run(); err != nil {
				panic(err)
			}
		}})
	}
	return list
}

// report prints one table. A ratio is the median of the ratios within the
// rounds: to the floor, which comes first, and to jotgate.
func report(title string, results []rounds.Result) {
	fmt.Printf("\n### %s\n\n| contender | best ns | median ns | B/op | allocs/op | / floor | / jotgate |\n|---|--:|--:|--:|--:|--:|--:|\n", title)
	floor := results[0]
	own := results[slices.IndexFunc(results, func(r rounds.Result) bool { return strings.HasPrefix(r.Name, "jotgate") })]
	slices.SortStableFunc(results[1:], func(a, b rounds.Result) int { return cmp.Compare(a.Median, b.Median) })
	for _, r := range results {
		fmt.Printf("| %s | %.0f | %.0f | %d | %.0f | %.2f | %.2f |\n", r.Name, r.Best, r.Median, r.Bytes, r.Allocs, ratio(r, floor), ratio(r, own))
	}
}

func ratio(a, b rounds.Result) float64 {
	var ratios []float64
	for i := range a.Rounds {
		ratios = append(ratios, a.Rounds[i]/b.Rounds[i])
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}
