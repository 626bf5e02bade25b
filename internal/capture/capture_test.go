package capture

import (
	"strings"
	"sync"
	"testing"
)

func TestOutput(t *testing.T) {
	var o Output
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 100 {
				_, _ = o.Write([]byte("a line\n"))
				_ = o.String()
			}
		})
	}
	writers.Wait()
	if got := o.String(); got != strings.Repeat("a line\n", 800) {
		t.Errorf("%d bytes", len(got))
	}
}
