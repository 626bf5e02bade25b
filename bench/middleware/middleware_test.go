package main

import (
	"testing"
	"time"
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
	if err := run(2, time.Millisecond); err != nil {
		t.Error(err)
	}
}
