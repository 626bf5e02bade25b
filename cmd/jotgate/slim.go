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
		if heap.look(held()) || first { // after a start, and after logins
			unmapProgram()
		}
	}
}

// A trimmer has the heap give back what has come on top of what is needed. A
// login leaves the 19 MiB of its hash behind as garbage, which the runtime
// keeps for minutes where little else is allocated.
type trimmer struct {
	level uint64 // what was held after the last time, in bytes
}

// slack is how much more than needed may be held, in bytes: below it a
// collection is not worth its processor time, which grows with the level.
const slack = 8 << 20

// look gives back if held is too much. It reports whether it did.
func (t *trimmer) look(now uint64) bool {
	if now <= t.level+max(slack, t.level/2) {
		t.level = min(t.level, now)
		return false
	}
	debug.FreeOSMemory()
	t.level = held()
	return true
}

// held is the memory that the runtime has from the system, in bytes.
func held() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64() - sample[1].Value.Uint64()
}
