package main

import (
	"strings"
	"testing"
)

// Two servers on one database accept fewer requests of a client than each alone would.
// How many exactly is tested in throttle/shared and in store.
func TestSharedRates(t *testing.T) {
	folder := t.TempDir()
	var servers []*server
	for range 2 {
		servers = append(servers, startServer(t, folder, nil, "--shared-rates", "on", "--rate", "anon=60/day"))
	}
	accepted := 0
	for i := range 100 { // 50 for each
		out := servers[i%2].curl(t, "-d", "token=x", "BASE/api/token/verify/")
		switch {
		case strings.Contains(out, "token_not_valid"):
			accepted++
		case !strings.Contains(out, "throttled"):
			t.Fatal(out)
		}
	}
	if accepted < 60 || accepted == 100 {
		t.Errorf("%d of 100 accepted, want about 60", accepted)
	}
	for _, s := range servers {
		if status := s.end(t); status != 0 {
			t.Error(status)
		}
	}
}
