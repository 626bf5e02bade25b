package jwks

import (
	"testing"
	"time"
)

// While a machine is suspended, only its wall clock goes on: keys end by either clock.
func TestKeysEndWhileSuspended(t *testing.T) {
	now := time.Now()
	later, past := now.Add(time.Hour), now.Add(-time.Second)
	for _, s := range []*state{nil, {end: past, wall: later.Round(0)}, {end: later, wall: past.Round(0)}} {
		if s.usable(now) {
			t.Errorf("%+v is usable", s)
		}
	}
	if !(&state{end: later, wall: later.Round(0)}).usable(now) {
		t.Error("keys that are fresh by both clocks are not usable")
	}
}
