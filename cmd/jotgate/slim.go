package main

// What the server holds and no longer needs goes back to the system, so that
// the resident memory an operator sees is what serving takes.

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// slimEvery is how often the server looks at what it holds. By the first look
// the start is over, and what the first requests used comes back by itself.
const slimEvery = 2 * time.Second

// keepSlim works until the context ends.
func keepSlim(ctx context.Context) {
	tick := time.NewTicker(slimEvery)
	defer tick.Stop()
	var heap trimmer
	for first := true; ; first = false {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if heap.look(held(), collections()) || first { // after a start, and after logins
			unmapProgram()
		}
	}
}

// A trimmer has the heap give back what has come on top of what is needed. A
// login leaves the 19 MiB of its hash behind as garbage, which the runtime
// keeps for minutes where little else is allocated.
type trimmer struct {
	level uint64 // what was held after the last time, in bytes
	cycle uint64 // how many collections there were at the last look
}

// slack is how much more than needed may be held, in bytes: below it a
// collection is not worth its processor time, which grows with the level.
const slack = 8 << 20

// look gives back if too much is held, and nothing was collected since the last
// look: a server under load needs what it has. It reports whether it did.
func (t *trimmer) look(now, cycle uint64) bool {
	quiet := cycle == t.cycle
	t.cycle = cycle
	if !quiet {
		return false
	}
	if now <= t.level+max(slack, t.level/2) {
		t.level = min(t.level, now)
		return false
	}
	debug.FreeOSMemory()
	t.level, t.cycle = held(), collections()
	return true
}

// held is the memory that the runtime has from the system, in bytes.
func held() uint64 {
	return metric("/memory/classes/total:bytes") - metric("/memory/classes/heap/released:bytes")
}

// collections is how often garbage was collected.
func collections() uint64 { return metric("/gc/cycles/total:gc-cycles") }

// metric is one of runtime/metrics' whole numbers.
func metric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
