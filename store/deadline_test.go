package store

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A request's own deadline does not extend the deadline of an operation, but the timeout of the
// database does.
func TestDeadline(t *testing.T) {
	for _, c := range []struct{ has, database, want time.Duration }{
		{30 * time.Second, 0, Timeout},
		{time.Second, 0, time.Second},
		{30 * time.Second, time.Second, Timeout},
		{30 * time.Second, 20 * time.Second, 20 * time.Second},
		{time.Second, 20 * time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) { // in which time does not pass by itself
			given, cancel := context.WithTimeout(t.Context(), c.has)
			defer cancel()
			ctx, end := (&Driver{Timeout: c.database}).deadline(given)
			defer end()
			if at, ok := ctx.Deadline(); !ok || time.Until(at) != c.want {
				t.Errorf("with %v left it ends after %v, want %v", c.has, time.Until(at), c.want)
			}
		})
	}
}
