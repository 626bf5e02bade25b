// Package wrk runs the load generator wrk, for the benchmarks.
package wrk

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// A Result is what wrk measured.
type Result struct {
	Requests int
	Rate     float64 // requests a second
	P99      time.Duration
	Spent    time.Duration // processor time of wrk itself
}

var (
	total     = regexp.MustCompile(`(\d+) requests in`)
	perSecond = regexp.MustCompile(`Requests/sec:\s+([\d.]+)`)
	slowest   = regexp.MustCompile(`99%\s+([\d.]+(?:us|ms|s))\n`)
	refused   = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)|Socket errors: .*`)
)

// Get requests one URL with an access token, for a time in whole seconds, over the given
// number of connections. A response other than 2xx is an error.
func Get(url, token string, duration time.Duration, connections int) (r Result, err error) {
	command := exec.Command("wrk", "-t1", "--latency", "-c"+strconv.Itoa(connections), "-d"+strconv.Itoa(int(duration.Seconds()))+"s",
		"-H", "Authorization: Bearer "+token, url)
	out, err := command.CombinedOutput()
	if err != nil {
		return r, fmt.Errorf("wrk: %w: %s", err, out)
	}
	if bad := refused.Find(out); bad != nil {
		return r, fmt.Errorf("%s: %s", url, bad)
	}
	requests, rate, p99 := total.FindSubmatch(out), perSecond.FindSubmatch(out), slowest.FindSubmatch(out)
	if requests == nil || rate == nil || p99 == nil {
		return r, fmt.Errorf("wrk wrote: %s", out)
	}
	r.Spent = command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	if r.Requests, err = strconv.Atoi(string(requests[1])); err != nil {
		return r, err
	}
	if r.Rate, err = strconv.ParseFloat(string(rate[1]), 64); err != nil {
		return r, err
	}
	r.P99, err = time.ParseDuration(string(p99[1]))
	return r, err
}
