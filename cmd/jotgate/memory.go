package main

import (
	"os"
	"runtime"
)

// floorSize is what heapFloor adds to the heap, in bytes, and so to the garbage
// that may lie about before it is collected.
const floorSize = 8 << 20

// heapFloor makes the collector of garbage come less often, until the function
// it returns is called. Go collects when the heap has doubled, at 4 MiB at the
// least. jotgate holds about one, so under load it would collect some forty
// times a second, each time emptying the pools that requests draw from. The
// floor is counted and never written to, so the system gives no memory for it.
// GOGC would multiply instead: also what a million revocations take. Who sets
// GOGC or GOMEMLIMIT has decided otherwise.
func heapFloor() (release func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	floor := make([]byte, floorSize)
	return func() { runtime.KeepAlive(floor) }
}
