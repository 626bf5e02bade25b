package store

import (
	"context"
	"testing"
	"time"
)

// A request's own deadline does not lengthen that of a question.
func TestDeadline(t *testing.T) {
	for _, c := range []struct{ has, want time.Duration }{
		{30 * time.Second, Timeout},
		{time.Second, time.Second},
	} {
		began := time.Now()
		given, cancel := context.WithTimeout(t.Context(), c.has)
		defer cancel()
		ctx, end := deadline(given)
		defer end()
		if at, ok := ctx.Deadline(); !ok || at.After(began.Add(c.want+100*time.Millisecond)) || at.Before(began.Add(c.want)) {
			t.Errorf("with %v left it ends after %v, want %v", c.has, at.Sub(began), c.want)
		}
	}
}
