package main

import (
	"runtime"
	"runtime/metrics"
	"testing"

	"github.com/jotgate/jotgate/internal/alone"
)

// goal is the size of the heap, in bytes, at which garbage is collected next.
func goal() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestHeapFloor(t *testing.T) { alone.Run(t, raisesTheGoal) }

func raisesTheGoal(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := goal()
	release := heapFloor()
	if with := goal(); with < before+floorSize {
		t.Errorf("the goal is %d bytes, and was %d without", with, before)
	}
	release()
	if after := goal(); after >= before+floorSize {
		t.Errorf("the goal is %d bytes after the end, and was %d before", after, before)
	}
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, "100")
			before := goal()
			release := heapFloor()
			defer release()
			if with := goal(); with >= before+floorSize {
				t.Errorf("%s is set, and yet the goal rose from %d to %d", name, before, with)
			}
		})
	}
}
