package main

import (
	"runtime"
	"testing"

	"github.com/jotgate/jotgate/internal/alone"
)

// The garbage of a hash is returned to the system, and one release is enough.
func TestTrimmer(t *testing.T) { alone.Run(t, trims) }

func trims(t *testing.T) {
	heap := &trimmer{level: held(), cycle: collections()}
	block := make([]byte, 64<<20)
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	before := held()
	runtime.KeepAlive(block) // or a collection that just ran would have taken it before
	if heap.look(before, heap.cycle+1) {
		t.Error("it gave back while others collect")
	}
	if !heap.look(before, heap.cycle) {
		t.Fatal("64 MiB of garbage stay")
	}
	if after := held(); after > before-48<<20 {
		t.Errorf("%d MiB were held, then %d", before>>20, after>>20)
	}
	if heap.look(held(), heap.cycle) {
		t.Error("it gave back again with nothing new")
	}
}

// The program is unmapped some time after the start and after a collection, ever more
// rarely.
func TestSettler(t *testing.T) {
	var s settler
	for i, c := range []struct {
		cycle uint64
		want  bool
	}{{0, true}, {0, true}, {0, false}, {1, false}, {1, true}, {1, true}, {1, false}, {1, true}, {1, false}, {3, false}, {4, false}, {4, true}} {
		if got := s.look(c.cycle); got != c.want {
			t.Errorf("check %d, after %d collections: %v", i, c.cycle, got)
		}
	}
}

// A large heap in use does not cause repeated collections.
func TestTrimmerLeavesALargeHeap(t *testing.T) {
	for _, c := range []struct {
		level, now uint64
		want       bool
	}{{100 << 20, 149 << 20, false}, {100 << 20, 151 << 20, true}, {4 << 20, 11 << 20, false}, {4 << 20, 13 << 20, true}} {
		if got := (&trimmer{level: c.level}).look(c.now, 0); got != c.want {
			t.Errorf("%d MiB after %d: %v", c.now>>20, c.level>>20, got)
		}
	}
}
