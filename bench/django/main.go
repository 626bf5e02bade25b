// Command django compares jotgate with a real Django and SimpleJWT under gunicorn.
// In one run, both handle the same requests: reading the account with an access
// token, checking the token only, a refresh with rotation and blacklist, and a login
// with equal hashes (PBKDF2-SHA256 with 260,000 iterations, the default of Debian's
// Django 3.2). Both use SQLite and PostgreSQL with durable commits.
//
//	go run ./django    # in bench/; needs tools/setup; some 10 minutes
//
// The servers are separate processes on free ports of 127.0.0.1. All servers of one
// kind of database run all the time; wrk sends requests to one after the other in
// every round, and the ratios are computed within the rounds.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jotgate/jotgate/bench/rounds"
)

// options holds the flags.
type options struct {
	rounds      int
	slice       time.Duration
	connections int
	workers     int
	threads     int
	only        string
	match       string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 3, "number of rounds, at most 20")
	flag.DurationVar(&o.slice, "slice", 4*time.Second, "duration of each measurement, three times as long for logins; at most 20s")
	flag.IntVar(&o.connections, "connections", 16, "concurrent clients; at most 64")
	flag.IntVar(&o.workers, "workers", 2*runtime.NumCPU()+1, "gunicorn's processes (its manual: two for each processor and one)")
	flag.IntVar(&o.threads, "threads", 2, "threads of each; with more than one gunicorn keeps connections open")
	flag.StringVar(&o.only, "only", "", "sqlite or postgres; empty: both")
	flag.StringVar(&o.match, "match", "", "only the lines of the table that contain this text")
	flag.Parse()
	if o.rounds < 1 || o.rounds > 20 || o.slice < time.Second || o.slice > 20*time.Second || o.connections < 1 || o.connections > 64 {
		fail(fmt.Errorf("out of bounds: see -h"))
	}
	fmt.Printf("%s %s/%s, %d processors, %d rounds of %v, %d connections, gunicorn with %d workers of %d threads, %s\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), o.rounds, o.slice, o.connections, o.workers, o.threads, versions())
	fmt.Println("| | Django, requests/s | jotgate, requests/s | jotgate over Django, median of the rounds | least – most | processor time a request, Django | jotgate | Django over jotgate |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, kind := range []string{"sqlite", "postgres"} {
		if o.only == "" || o.only == kind {
			fail(side(kind, o))
		}
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "django:", err)
		os.Exit(1)
	}
}

// versions returns Debian's versions.
func versions() string {
	out, err := exec.Command(python, "-c", "import django, rest_framework, rest_framework_simplejwt as s; print('Django', django.__version__, 'DRF', rest_framework.VERSION, 'SimpleJWT', s.__version__)").Output()
	fail(err)
	return strings.TrimSpace(string(out))
}

// A work is one line of the table.
type work struct {
	name    string
	kind    string // WORK of load.lua
	path    string
	jotgate string // which of the two jotgate servers
}

var works = []work{
	{"GET /auth/users/me/ (one read)", "get", "/auth/users/me/", "jotgate"},
	{"GET /auth/check (the token alone)", "get", "/auth/check", "jotgate"},
	{"refresh, rotation and blacklist", "refresh", "", "jotgate"},
	{"login, jotgate with one lane less than processors", "login", "", "jotgate"},
	{"login, jotgate with a lane for each", "login", "", "wide"},
}

// side runs everything on one kind of database.
func side(kind string, o options) error {
	s, err := start(kind, o)
	defer s.stop()
	if err != nil {
		return err
	}
	for _, w := range works {
		if !strings.Contains(w.name, o.match) {
			continue
		}
		var both [2][]reading
		var ratios, costs []float64
		for round := range o.rounds {
			for k := range 2 {
				i := (k + round) % 2
				got, err := s.ask(w, []string{"django", w.jotgate}[i], o)
				if err != nil {
					return err
				}
				both[i] = append(both[i], got)
			}
			django, jotgate := both[0][round], both[1][round]
			ratios = append(ratios, jotgate.rate/django.rate)
			costs = append(costs, django.cost/jotgate.cost)
		}
		slices.Sort(ratios)
		fmt.Printf("| %s: %s | %s | %s | %.1f | %.1f – %.1f | %s | %s | %.1f |\n", kind, w.name, rates(both[0]), rates(both[1]),
			rounds.Median(ratios), ratios[0], ratios[len(ratios)-1], cost(both[0]), cost(both[1]), rounds.Median(costs))
	}
	return nil
}

// rates returns the median rate and the number of errors.
func rates(list []reading) string {
	var all []float64
	bad := 0
	for _, r := range list {
		all, bad = append(all, r.rate), bad+r.bad
	}
	text := fmt.Sprintf("%.0f", rounds.Median(all))
	if bad > 0 {
		text += fmt.Sprintf(" and %d errors in all", bad)
	}
	return text
}

// cost returns the median processor time.
func cost(list []reading) string {
	var all []float64
	for _, r := range list {
		all = append(all, r.cost)
	}
	return fmt.Sprintf("%.2f ms", rounds.Median(all)/1000)
}
