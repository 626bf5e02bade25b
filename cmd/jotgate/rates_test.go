package main

import (
	"strings"
	"testing"
	"time"
)

// Two servers on one database accept fewer requests of a client than each alone would:
// the second one accepts fewer than 60 after 59 at the first one, as soon as it has
// learned of them. How many exactly is tested in throttle/shared and in store.
func TestSharedRates(t *testing.T) {
	folder := t.TempDir()
	var servers []*server
	for range 2 {
		servers = append(servers, startServer(t, folder, nil, "--shared-rates", "on", "--rate", "anon=60/day"))
	}
	throttled := func(s *server) bool {
		out := s.curl(t, "-d", "token=x", "BASE/api/token/verify/")
		if !strings.Contains(out, "token_not_valid") && !strings.Contains(out, "throttled") {
			t.Fatal(out)
		}
		return strings.Contains(out, "throttled")
	}
	for i := range 59 {
		if throttled(servers[0]) {
			t.Fatalf("request %d is throttled", i+1)
		}
	}
	accepted := 0
	for ; accepted < 59 && !throttled(servers[1]); accepted++ {
		time.Sleep(min(time.Duration(accepted)*20*time.Millisecond, 500*time.Millisecond))
	}
	if accepted == 59 {
		t.Error("the second server has accepted 59 requests after 59 at the first one")
	}
	for _, s := range servers {
		if status := s.end(t); status != 0 {
			t.Error(status)
		}
	}
}
