package rounds

import (
	"time"

	"golang.org/x/sys/unix"
)

// A Clock returns the time since a fixed moment.
type Clock func() time.Duration

var began = time.Now()

// Wall is the wall-clock time.
func Wall() time.Duration { return time.Since(began) }

// Of returns Processor or Wall.
func Of(processor bool) Clock {
	if processor {
		return Processor
	}
	return Wall
}

// Processor is the processor time of the calling thread. It excludes other programs, and
// the work of the garbage collector on other threads.
func Processor() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return time.Duration(t.Nano())
}
