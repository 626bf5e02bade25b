package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// floorSize is what heapFloor adds to the heap, in bytes, and so the amount
// of garbage that may accumulate before it is collected.
const floorSize = 8 << 20

// heapFloor makes garbage collections less frequent until the returned
// function is called. Go collects when the heap has doubled, and at 4 MiB at
// the earliest. jotgate's heap is about 1 MiB, so under load it would be
// collected about forty times a second, and each collection empties the pools
// of the requests. The floor is counted but never written to, so it takes no
// physical memory. GOGC would multiply instead, including the memory of a
// million revocations. If GOGC or GOMEMLIMIT is set, heapFloor does nothing.
//
// The floor alone would start a collection, beside the start of the program: until
// the first one has run, the heap may grow to 16 MiB.
func heapFloor() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	usual := debug.SetGCPercent(400) // of 4 MiB
	runtime.AddCleanup(new(*int), func(percent int) { debug.SetGCPercent(percent) }, usual)
	floor := make([]byte, floorSize)
	return func() { runtime.KeepAlive(floor) }
}
