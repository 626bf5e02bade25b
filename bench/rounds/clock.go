package rounds

import (
	"time"

	"golang.org/x/sys/unix"
)

// A Clock tells the time since some moment.
type Clock func() time.Duration

var began = time.Now()

// Wall is the time that passes for everybody.
func Wall() time.Duration { return time.Since(began) }

// Of is Processor or Wall.
func Of(processor bool) Clock {
	if processor {
		return Processor
	}
	return Wall
}

// Processor is the processor time of the calling thread: what others do on a
// busy machine is not in it, nor what the collector does on other threads.
func Processor() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // the clock exists on every Linux
	}
	return time.Duration(t.Nano())
}
