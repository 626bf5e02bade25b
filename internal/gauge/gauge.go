// Package gauge measures the capacity of a server on this machine: how long a
// password hash takes, how many logins, verifications and refreshes it handles, and
// how a flood of logins affects other requests. The command jotgate bench prints
// the results.
//
//	report, err := gauge.Measure(ctx, gauge.Plan{Time: 20 * time.Second, Store: db, Hasher: hasher})
//	advice := report.Advise()
//
// The server listens on a free port of 127.0.0.1 and the clients are in the same
// process. They use the same processors, so a server with remote clients has a
// higher capacity. Measure writes to the store of the plan, which must not be used
// for anything else.
package gauge

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"time"

	"github.com/jotgate/jotgate/passwd"
	"github.com/jotgate/jotgate/record"
)

// A Plan says what to measure.
type Plan struct {
	// Time is the approximate duration. If it is very short, every figure is
	// still measured over a few operations, except for hashers that are
	// measured for comparison.
	Time time.Duration
	// Store is an empty store.
	Store record.Store
	// Hasher is used for logins. Default: the zero Hasher of passwd.
	Hasher *passwd.Hasher
	// Progress, if not nil, is called at the beginning of each step with its
	// name and the elapsed part of the time, 0 to 1. The calls are not
	// concurrent.
	Progress func(passed float64, what string)
}

// A Report holds the measurements.
type Report struct {
	Processors int     `json:"processors"` // that Go uses
	Hashes     []Hash  `json:"hashes"`     // the plan's hasher first
	Verify     Load    `json:"verify"`     // one goroutine, without HTTP
	Checks     Load    `json:"checks"`     // GET /auth/check
	Refreshes  Load    `json:"refreshes"`  // POST /api/token/refresh/, each with a committed rotation
	Reads      Load    `json:"reads"`      // GET /auth/users/me/ by one reader without other load
	Floods     []Flood `json:"floods"`     // the same while all other clients log in, by concurrency of hashing
	tuned      *Hash   // stronger argon2 parameters, if they were measured
}

// A Load is the throughput and latency of clients that send requests without pause.
type Load struct {
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

// A Flood is the load of many logins, and of one reader at the same time.
type Flood struct {
	Concurrency int     `json:"hash_concurrency"`
	Clients     int     `json:"clients"`
	Logins      float64 `json:"logins_per_second"`  // that succeeded
	Refused     float64 `json:"refused_per_second"` // with status 503 or 429
	Reader      Load    `json:"reader"`
}

// clients is the number of concurrent clients, in steps with more than one.
const clients = 16

// A step is a measurement and its share of the time.
type step struct {
	what  string
	share float64
	run   func(m *measurement, ctx context.Context, limit time.Duration) error
}

// The floods are last, because they slow down what follows.
var steps = []step{
	{"hashing passwords", 0.30, (*measurement).hashes},
	{"verifying tokens", 0.05, (*measurement).verify},
	{"checking tokens over HTTP", 0.10, (*measurement).checks},
	{"refreshing sessions", 0.15, (*measurement).refreshes},
	{"reading without other load", 0.10, (*measurement).reads},
	{"reading during a flood of logins", 0.15, (*measurement).narrowFlood},
	{"reading during a login flood, more concurrency", 0.15, (*measurement).wideFlood},
}

// A measurement is one execution of a plan.
type measurement struct {
	Plan
	Report
	narrow, wide int // concurrency of hashing
	site         *site
}

// Measure executes the plan. If the context ends, it stops and returns the
// context's error. When it returns, nothing of it is still running.
func Measure(ctx context.Context, plan Plan) (*Report, error) {
	if plan.Hasher == nil {
		plan.Hasher = &passwd.Hasher{}
	}
	if plan.Progress == nil {
		plan.Progress = func(float64, string) {}
	}
	m := &measurement{Plan: plan}
	m.Processors = runtime.GOMAXPROCS(0)
	m.narrow, m.wide = max(1, m.Processors-1), m.Processors
	err := m.run(ctx)
	if m.site != nil {
		err = errors.Join(err, m.site.close())
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return &m.Report, err
}

// run executes the steps.
func (m *measurement) run(ctx context.Context) error {
	passed := 0.0
	for _, s := range m.steps() {
		m.Progress(passed, s.what)
		if err := s.run(m, ctx, time.Duration(s.share*float64(m.Time))); err != nil {
			return err
		}
		passed += s.share
	}
	m.Progress(1, "")
	return nil
}

// steps returns the steps; with one processor, there is no second flood.
func (m *measurement) steps() []step {
	if m.narrow == m.wide {
		return steps[:len(steps)-1]
	}
	return steps
}

// loadOf returns the load of operations by their durations and the time in which
// all of them were done.
func loadOf(clients int, took []time.Duration, within time.Duration) Load {
	slices.Sort(took)
	return Load{
		Clients: clients, PerSecond: float64(len(took)) / within.Seconds(),
		P50: milliseconds(took[len(took)/2]), P99: milliseconds(took[len(took)*99/100]),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
