// Command load asks, over loopback and with wrk, what the gate costs: the
// binary's GET /auth/check against a bare net/http handler that gives the same
// answer to everybody, and `jotgate serve --upstream` against a bare
// httputil.ReverseProxy before the same API. The servers are processes of their
// own and all run for the whole time; wrk asks one after the other, round by
// round, and the ratio is taken within each round.
//
//	go run ./load    # in bench/; needs wrk, some 50 s
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"time"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveArgument {
		serveBare(os.Args[2])
		return
	}
	rounds := flag.Int("rounds", 6, "rounds, each of which asks every server once; at most 50")
	slice := flag.Duration("slice", 2*time.Second, "how long wrk asks one server in a round; at most 10s")
	connections := flag.Int("connections", 32, "connections at once; at most 256")
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

// run prints one table.
func run(s *site, rounds int, slice time.Duration, connections int) error {
	fmt.Printf("%s %s/%s, %d processors, %d rounds of %v, %d connections\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds, slice, connections)
	targets := s.targets()
	rates, costs := make([][]float64, len(targets)), make([][]float64, len(targets))
	for _, t := range targets {
		if err := t.check(s.token); err != nil {
			return err
		}
		if _, err := wrk(t, s.token, time.Second, connections); err != nil { // warm
			return err
		}
	}
	for round := range rounds {
		for k := range targets {
			i := (k + round) % len(targets)
			before := s.spent(targets[i].process)
			rate, err := wrk(targets[i], s.token, slice, connections)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], rate)
			costs[i] = append(costs[i], float64((s.spent(targets[i].process)-before).Microseconds())/(rate*slice.Seconds()))
		}
	}
	fmt.Println("| server | requests/s, median | of the bare one, median of the rounds | least – most | processor time of the server, µs a request |")
	fmt.Println("|---|--:|--:|--:|--:|")
	for i, t := range targets {
		ratios := make([]float64, rounds)
		for r := range ratios {
			ratios[r] = 100 * rates[i][r] / rates[t.base][r]
		}
		slices.Sort(ratios)
		fmt.Printf("| %s | %.0f | %.0f %% | %.0f – %.0f %% | %.1f |\n", t.name, median(rates[i]), median(ratios), ratios[0], ratios[rounds-1], median(costs[i]))
	}
	return nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

var (
	perSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	refused   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: .*`)
)

// wrk returns the requests per second; an answer that is not 2xx is an error.
func wrk(t target, token string, duration time.Duration, connections int) (float64, error) {
	out, err := exec.Command("wrk", "-t1", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(duration.Seconds()))+"s",
		"-H", "Authorization: Bearer "+token, t.url).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if bad := refused.Find(out); bad != nil {
		return 0, fmt.Errorf("%s: %s", t.name, bad)
	}
	found := perSecond.FindSubmatch(out)
	if found == nil {
		return 0, fmt.Errorf("wrk wrote: %s", out)
	}
	return strconv.ParseFloat(string(found[1]), 64)
}
