package scale

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/wait"
	"github.com/jotgate/jotgate/jwt"
)

// TestGuards measures how long a revocation takes to many guards that follow one node
// over HTTP. The processor time is that of the whole process: of the node, of the
// guards, and of the loop that asks them.
func TestGuards(t *testing.T) {
	number, rounds := 5, 2
	if os.Getenv("SCALE") != "" {
		number, rounds = 1000, 20
	}
	s := newSite(t, "sqlite", "pbkdf2_sha256:1")
	s.begin()
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = s.gate.Run(ctx) })
	feed := httptest.NewServer(s.gate.Sessions().RevocationFeed())
	key, err := jwt.NewHMAC(jwt.HS256, []byte(secret))
	check(t, err)
	guards := make([]*jotgate.Guard, number)
	progress("%d guards", number)
	for i := range guards {
		guards[i], err = jotgate.NewGuard(jotgate.GuardSettings{Keys: key, RevocationsURL: feed.URL, Logger: slog.New(slog.DiscardHandler)})
		check(t, err)
		running.Go(func() { _ = guards[i].Run(ctx) })
	}
	t.Cleanup(func() { end(); running.Wait(); feed.Close() })
	for _, guard := range guards {
		wait.Until(t, "each guard has read the feed", func() bool { return guard.RevocationAge() < time.Minute })
	}
	progress("%d revocations", rounds)
	var times []time.Duration
	start, used := time.Now(), processor(t)
	for i := range rounds {
		times = append(times, s.revoke(guards, s.tokens[i])...)
	}
	cores := (processor(t) - used).Seconds() / time.Since(start).Seconds()
	slices.Sort(times)
	of := func(percent int) time.Duration { return times[len(times)*percent/100].Round(time.Millisecond) }
	t.Logf("%d guards, %d revocations, %.1f a second: median %v, p99 %v, slowest %v; %.2f cores in all", number, rounds,
		float64(rounds)/time.Since(start).Seconds(), of(50), of(99), times[len(times)-1].Round(time.Millisecond), cores)
}

// revoke ends a session and returns when each guard refused its token, counted from the
// response to the logout.
func (s *site) revoke(guards []*jotgate.Guard, of jotgate.Tokens) (times []time.Duration) {
	s.Helper()
	for _, guard := range guards {
		_, err := guard.VerifyAccess(of.Access)
		check(s, err)
	}
	check(s, s.gate.Logout(s.Context(), of.Refresh, jotgate.Client{}))
	start := time.Now()
	left := slices.Clone(guards)
	wait.Until(s, "each guard refuses the token", func() bool {
		time.Sleep(20 * time.Millisecond) // so that the loop takes little of the processor time
		left = slices.DeleteFunc(left, func(guard *jotgate.Guard) bool {
			_, err := guard.VerifyAccess(of.Access)
			if err != nil {
				times = append(times, time.Since(start))
			}
			return err != nil
		})
		return len(left) == 0
	})
	return times
}

// processor is the processor time of the process.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	check(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
