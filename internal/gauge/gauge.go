// Package gauge measures what a server does on this machine: how long a hash
// takes, how many logins, verifications and refreshes it answers, and what a
// flood of logins does to everybody else. `jotgate bench` prints it.
//
//	report, err := gauge.Measure(ctx, gauge.Plan{Time: 20 * time.Second, Store: db, Hasher: hasher})
//	advice := report.Advise()
//
// The server listens on a free port of 127.0.0.1 and is asked over HTTP by
// clients in the same process: they take their share of the processors, so a
// server with clients elsewhere does more. Everything is written into the store
// of the plan, which must be nobody's else.
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

// Plan says what to measure.
type Plan struct {
	// Time is about how long it takes in all. However short, every figure but
	// the hashes that nobody asked for rests on a few operations.
	Time time.Duration
	// Store is a store with nothing in it.
	Store record.Store
	// Hasher is what logins are measured with; nil is the default.
	Hasher *passwd.Hasher
	// Progress is told, from one goroutine, what begins and how much of the
	// time has passed then, 0 to 1. It may be nil.
	Progress func(passed float64, what string)
}

// Report is what was measured.
type Report struct {
	Processors int     `json:"processors"` // that Go uses
	Hashes     []Hash  `json:"hashes"`     // the plan's hasher first
	Verify     Load    `json:"verify"`     // one goroutine in process, no HTTP
	Checks     Load    `json:"checks"`     // GET /auth/check
	Refreshes  Load    `json:"refreshes"`  // POST /api/token/refresh/, rotating, each committed
	Reads      Load    `json:"reads"`      // GET /auth/users/me/ by one reader, in peace
	Floods     []Flood `json:"floods"`     // the same while all others log in, by concurrency of hashing
	tuned      *Hash   // the parameters that are advised, where they were measured
}

// Load is what clients saw that asked without pause.
type Load struct {
	Clients   int     `json:"clients"`
	PerSecond float64 `json:"per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

// Flood is a flood of logins and the one reader beside it.
type Flood struct {
	Concurrency int     `json:"hash_concurrency"`
	Clients     int     `json:"clients"`
	Logins      float64 `json:"logins_per_second"`  // answered with tokens
	Refused     float64 `json:"refused_per_second"` // told to come back
	Reader      Load    `json:"reader"`
}

// clients is how many ask at once where many do.
const clients = 16

// step is a part of the plan and its share of the time.
type step struct {
	what  string
	share float64
	run   func(m *measurement, ctx context.Context, limit time.Duration) error
}

// steps are in this order, because a flood leaves a warm machine behind.
var steps = []step{
	{"hashing passwords", 0.30, (*measurement).hashes},
	{"verifying tokens", 0.05, (*measurement).verify},
	{"checking tokens over HTTP", 0.10, (*measurement).checks},
	{"refreshing sessions", 0.15, (*measurement).refreshes},
	{"reading in peace", 0.10, (*measurement).reads},
	{"reading during a flood of logins", 0.15, (*measurement).narrowFlood},
	{"reading during a flood of logins with more concurrency", 0.15, (*measurement).wideFlood},
}

// measurement is one run of a plan.
type measurement struct {
	Plan
	Report
	narrow, wide int // concurrency of hashing
	site         *site
}

// Measure does what the plan says. It ends early with the context's error;
// nothing of it goes on then.
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

// run goes through the steps.
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

// steps leaves out the second flood where there is one processor.
func (m *measurement) steps() []step {
	if m.narrow == m.wide {
		return steps[:len(steps)-1]
	}
	return steps
}

// loadOf sums up how long operations took that were done within a time.
func loadOf(clients int, took []time.Duration, within time.Duration) Load {
	slices.Sort(took)
	return Load{
		Clients: clients, PerSecond: float64(len(took)) / within.Seconds(),
		P50: milliseconds(took[len(took)/2]), P99: milliseconds(took[len(took)*99/100]),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
