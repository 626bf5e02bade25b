package main

// The server returns memory that it no longer needs to the system, so that
// the resident memory an operator sees is what serving needs.

import (
	"context"
	"math/bits"
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
	var program settler
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		heap.look(held(), collections())
		if program.look(collections()) { // after the start, and after logins
			unmapProgram()
		}
	}
}

// A settler finds when the pages of the program that a collection has used are needed no
// more. That is not right after it: a collection halves the stacks of goroutines, and
// growing them again reads tables that take 3 MiB. A goroutine does that the next time
// it works, perhaps after a minute.
type settler struct {
	cycle uint64 // the number of collections at the last check
	quiet uint   // the number of checks since then
}

// look reports that 1, 2, 4, 8, … intervals have passed since the start or the last
// collection.
func (s *settler) look(cycle uint64) bool {
	if cycle != s.cycle {
		s.cycle, s.quiet = cycle, 0
		return false
	}
	s.quiet++
	return bits.OnesCount(s.quiet) == 1
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
