package main

// The server returns memory that it no longer needs to the system, so that
// the resident memory an operator sees is what serving needs.

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// trimEvery is the interval between checks. At the first check the start is
// over, and memory that the first requests need is allocated again.
const trimEvery = 2 * time.Second

// trimMemory runs until the context is done.
func trimMemory(ctx context.Context) {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	var heap trimmer
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if heap.look(held(), collections()) || first { // after the start, and after logins
			unmapProgram()
		}
	}
}

// A trimmer returns memory that the heap holds beyond what is needed. Each
// login leaves the 19 MiB of its hash as garbage, which the runtime keeps for
// minutes if little else is allocated.
type trimmer struct {
	level uint64 // what was held after the last release, in bytes
	cycle uint64 // the number of collections at the last check
}

// trimTolerance is how much more than needed may be held, in bytes: for less, a
// collection is not worth its processor time, which grows with the level.
const trimTolerance = 8 << 20

// look releases memory if too much is held and nothing was collected since
// the last check: a server under load needs what it has. It reports whether
// it did.
func (t *trimmer) look(now, cycle uint64) bool {
	quiet := cycle == t.cycle
	t.cycle = cycle
	if !quiet {
		return false
	}
	if now <= t.level+max(trimTolerance, t.level/2) {
		t.level = min(t.level, now)
		return false
	}
	debug.FreeOSMemory()
	t.level, t.cycle = held(), collections()
	return true
}

// held returns the memory that the runtime has obtained from the system, in
// bytes.
func held() uint64 {
	return metric("/memory/classes/total:bytes") - metric("/memory/classes/heap/released:bytes")
}

// collections returns the number of garbage collections so far.
func collections() uint64 { return metric("/gc/cycles/total:gc-cycles") }

// metric reads an integer metric of runtime/metrics.
func metric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
