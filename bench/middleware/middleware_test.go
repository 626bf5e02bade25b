package main

import (
	"testing"
	"time"

	"github.com/jotgate/jotgate/bench/rounds"
)

// Every contender does the work that is timed.
func TestContenders(t *testing.T) {
	for _, c := range contenders() {
		if err := c.check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestProgram(t *testing.T) {
	for _, clock := range []rounds.Clock{rounds.Wall, rounds.Processor} {
		if err := run(2, time.Millisecond, clock); err != nil {
			t.Error(err)
		}
	}
}
