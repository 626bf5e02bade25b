// Command load measures with wrk, over loopback, what authentication costs. It compares
// the binary's GET /auth/check, and a handler of a Go program behind Require, with a
// bare net/http handler that sends the same body; and jotgate serve --upstream with a
// bare httputil.ReverseProxy before the same API. Another bare handler also sends the
// headers of /auth/check, which shows their share of the cost. All servers are separate
// processes that run all the time. wrk sends the same requests to one after the other in
// every round, and the ratios are computed within the rounds.
//
//	go run ./load    # in bench/; needs wrk, some two minutes
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/jotgate/jotgate/bench/rounds"
	"github.com/jotgate/jotgate/bench/wrk"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveArgument {
		serveBare(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 6, "number of rounds; at most 50")
	slice := flag.Duration("slice", 2*time.Second, "duration of each measurement; at most 10s")
	connections := flag.Int("connections", 32, "concurrent connections; at most 256")
	only := flag.String("binary", "", "the jotgate to run; empty: build it")
	flag.Parse()
	if *rounds < 1 || *rounds > 50 || *slice > 10*time.Second || *slice < time.Second || *connections < 1 || *connections > 256 {
		fail(fmt.Errorf("out of bounds: see -h"))
	}
	site, err := start(*only)
	if err == nil {
		err = run(site, *rounds, *slice, *connections)
	}
	site.stop()
	fail(err)
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// A sample is one measurement of one server.
type sample struct {
	rate float64 // requests/s
	p99  float64 // milliseconds
	cost float64 // processor time of the server, microseconds a request
	wrk  float64 // of wrk
}

// run measures all servers in every round and prints the table.
func run(s *site, rounds int, slice time.Duration, connections int) error {
	fmt.Printf("%s %s/%s, %d processors, %d rounds of %v, %d connections\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, slice, connections)
	targets := s.targets()
	if err := s.check(targets); err != nil {
		return err
	}
	for _, t := range targets {
		if _, err := wrk.Get(t.url, s.token, time.Second, connections); err != nil { // warm up
			return err
		}
	}
	samples := make([][]sample, len(targets))
	for round := range rounds {
		for k := range targets {
			i := (k + round) % len(targets)
			got, err := s.sample(targets[i], slice, connections)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], got)
		}
	}
	table(targets, samples)
	return nil
}

// sample measures one server.
func (s *site) sample(t target, slice time.Duration, connections int) (sample, error) {
	server := s.servers[t.process]
	before, err := server.Spent()
	if err != nil {
		return sample{}, err
	}
	got, err := wrk.Get(t.url, s.token, slice, connections)
	if err != nil {
		return sample{}, err
	}
	after, err := server.Spent()
	each := func(spent time.Duration) float64 { return float64(spent.Microseconds()) / (got.Rate * slice.Seconds()) }
	return sample{got.Rate, float64(got.P99.Microseconds()) / 1000, each(after - before), each(got.Spent)}, err
}

// table prints a line for each server. Rates and latencies are medians, and their
// ratios are computed within a round. Processor times are the lowest decile of the
// rounds, since other programs can only add to them; the last column is the ratio of
// rates that they predict for an idle machine.
func table(targets []target, samples [][]sample) {
	fmt.Println("| server | requests/s | of the bare one | least – most | of a bare one with the same headers | p99, ms | times the bare one's | processor time of the server, µs a request | with wrk's | the bare one's, of that |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	for i, t := range targets {
		own, bare := samples[i], samples[t.base]
		shares := within(own, bare, func(own, bare sample) float64 { return 100 * own.rate / bare.rate })
		alike := within(own, samples[t.same], func(own, same sample) float64 { return 100 * own.rate / same.rate })
		times := within(own, bare, func(own, bare sample) float64 { return own.p99 / bare.p99 })
		fmt.Printf("| %s | %.0f | %.0f %% | %.0f – %.0f %% | %.0f %% | %.2f | %.2f | %.1f | %.1f | %.0f %% |\n", t.name,
			rounds.Median(each(own, sample.requests)), rounds.Median(shares), slices.Min(shares), slices.Max(shares), rounds.Median(alike),
			rounds.Median(each(own, sample.late)), rounds.Median(times),
			lowest(each(own, sample.server)), lowest(each(own, sample.all)), 100*lowest(each(bare, sample.all))/lowest(each(own, sample.all)))
	}
}

// within compares two servers within each round.
func within(own, other []sample, ratio func(own, other sample) float64) []float64 {
	ratios := make([]float64, len(own))
	for r := range own {
		ratios[r] = ratio(own[r], other[r])
	}
	return ratios
}

func (s sample) requests() float64 { return s.rate }
func (s sample) late() float64     { return s.p99 }
func (s sample) server() float64   { return s.cost }
func (s sample) all() float64      { return s.cost + s.wrk }

// each returns one value of each sample.
func each(samples []sample, value func(sample) float64) []float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = value(s)
	}
	return values
}

// lowest returns the lowest decile.
func lowest(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/10]
}
