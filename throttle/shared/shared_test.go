package shared_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate/throttle"
	"github.com/jotgate/jotgate/throttle/shared"
)

// memory is a Store in memory, whose transactions take 5 ms.
type memory struct {
	mu    sync.Mutex
	rows  map[string]string
	asked int
	fail  bool
	hang  chan struct{} // not nil: no transaction ends until it is closed
}

func (m *memory) Borrow(_ context.Context, claims []shared.Claim) (grants []shared.Grant, err error) {
	time.Sleep(5 * time.Millisecond)
	m.mu.Lock()
	for hang := m.hang; hang != nil; hang = m.hang {
		m.mu.Unlock()
		<-hang
		m.mu.Lock()
	}
	defer m.mu.Unlock()
	if m.asked++; m.fail {
		return nil, errors.New("the database does not respond")
	}
	for _, c := range claims {
		text, _, g, err := shared.Apply(m.rows[c.Key], c, time.Now())
		if err != nil {
			return nil, err
		}
		m.rows[c.Key], grants = text, append(grants, g)
	}
	return grants, nil
}

func (m *memory) Purge(context.Context, int) (int, error) { return 0, nil }

func (m *memory) set(fail bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = fail
}

// node is a Counter after a limiter of its own, as package web uses it.
type node struct {
	*shared.Counter
	limiter *throttle.Limiter
	passed  []time.Time
	longest time.Duration
}

var perMinute = throttle.Rate{Count: 60, Period: time.Minute}

// nodes returns n nodes, which run until stop is called.
func nodes(t *testing.T, m *memory, n int) (list []*node, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range n {
		limiter, err := throttle.NewLimiter(perMinute, throttle.Options{})
		if err != nil {
			t.Fatal(err)
		}
		node := &node{Counter: shared.New(m, shared.Options{Logger: slog.New(slog.DiscardHandler)}), limiter: limiter}
		running.Go(func() { _ = node.Run(ctx) })
		list = append(list, node)
	}
	synctest.Wait()
	return list, func() { cancel(); running.Wait() }
}

func (n *node) request(key string) bool {
	if n.Refused("login", key, perMinute) > 0 {
		return false
	}
	if _, ok := n.limiter.Allow(key); !ok {
		return false
	}
	began := time.Now()
	wait := n.Allow("login", key, perMinute)
	n.longest = max(n.longest, time.Since(began))
	if wait == 0 {
		n.passed = append(n.passed, time.Now())
	}
	return wait == 0
}

// most returns the largest number of times within a minute.
func most(times []time.Time) (largest int) {
	for i := range times {
		n := 0
		for _, other := range times {
			if d := other.Sub(times[i]); d >= 0 && d < time.Minute {
				n++
			}
		}
		largest = max(largest, n)
	}
	return largest
}

// Two nodes accept at most 63 of 60 requests a minute, in any minute, whatever the pace
// of the requests, and nearly as many in every minute.
func TestTwoNodes(t *testing.T) {
	for _, pause := range []time.Duration{10 * time.Millisecond, 200 * time.Millisecond, 900 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{rows: map[string]string{}}
			list, stop := nodes(t, m, 2)
			var clients sync.WaitGroup
			var requests [2]int // of each node
			for i, n := range list {
				random := rand.New(rand.NewPCG(1, uint64(i)))
				clients.Go(func() {
					for began := time.Now(); time.Since(began) < 6*time.Minute; {
						n.request("192.0.2.1")
						requests[i]++
						time.Sleep(time.Duration(random.Int64N(int64(2*pause+2*time.Millisecond))) + time.Millisecond)
					}
				})
			}
			clients.Wait()
			stop()
			times := append(list[0].passed, list[1].passed...)
			if n := most(times); n > 63 || len(times) < 5*58 {
				t.Errorf("pause %v: %d accepted in a minute, %d in six", pause, n, len(times))
			}
			if m.asked > 6*(60*4*2+130) || list[0].longest > 20*time.Millisecond {
				t.Errorf("pause %v: %d transactions for %d requests; one waited %v", pause, m.asked, requests[0]+requests[1], list[0].longest)
			}
			t.Logf("pause %v: %d requests a node, %d accepted, %d in a minute at most, %d transactions", pause, requests[0], len(times), most(times), m.asked)
		})
	}
}

// A burst on both nodes is decided in a few transactions, and what follows in none.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{rows: map[string]string{}}
		list, stop := nodes(t, m, 2)
		var clients sync.WaitGroup
		var mu sync.Mutex
		passed := 0
		for i := range 1000 {
			clients.Go(func() {
				n := list[i%2]
				if n.Allow("login", "192.0.2.1", perMinute) == 0 {
					mu.Lock()
					defer mu.Unlock()
					passed++
				}
			})
		}
		clients.Wait()
		if passed < 60 || passed > 62 || m.asked > 8 {
			t.Errorf("%d of 1000 accepted with %d transactions", passed, m.asked)
		}
		asked := m.asked
		for range 1000 {
			if wait := list[0].Refused("login", "192.0.2.1", perMinute); wait <= 0 || wait > 63*time.Second {
				t.Fatalf("refused for %v", wait)
			}
		}
		if list[0].Allow("login", "192.0.2.2", perMinute) != 0 || m.asked != asked {
			t.Errorf("another key: refused, or %d transactions", m.asked-asked)
		}
		stop()
	})
}

// While the database does not respond, each node accepts its own 60 and no more; when it
// responds again, both together do.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{rows: map[string]string{}}
		list, stop := nodes(t, m, 2)
		var clients sync.WaitGroup
		for _, n := range list {
			clients.Go(func() {
				for range 600 * 6 {
					n.request("192.0.2.1")
					time.Sleep(100 * time.Millisecond)
				}
			})
		}
		time.Sleep(30 * time.Second)
		m.set(true)
		down := time.Now()
		time.Sleep(2 * time.Minute)
		m.set(false)
		up := time.Now()
		clients.Wait()
		stop()
		var after []time.Time
		for i, n := range list {
			during := 0
			for _, at := range n.passed {
				if at.After(down.Add(time.Minute)) && at.Before(up) {
					during++
				}
				if at.After(up.Add(62 * time.Second)) {
					after = append(after, at)
				}
			}
			if n := most(n.passed); n > 60 || during < 50 {
				t.Errorf("node %d: %d in a minute, %d in one of the outage", i, n, during)
			}
		}
		if n := most(after); n > 63 || len(after) < 60 {
			t.Errorf("after the outage: %d in a minute, %d in all", n, len(after))
		}
	})
}

// While a transaction hangs, a request waits for half a second at most, each node accepts
// its own 60 and no more, and what it accepts counts for both when the transaction ends.
func TestHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := &memory{rows: map[string]string{}}
		list, stop := nodes(t, m, 2)
		hang := make(chan struct{})
		m.mu.Lock()
		m.hang = hang
		m.mu.Unlock()
		for _, n := range list {
			for range 100 {
				n.request("192.0.2.1")
			}
			if n.longest != 500*time.Millisecond {
				t.Errorf("a request waited %v", n.longest)
			}
			if len(n.passed) != 60 {
				t.Errorf("a node accepted %d", len(n.passed))
			}
		}
		m.mu.Lock()
		m.hang = nil
		m.mu.Unlock()
		close(hang)
		time.Sleep(time.Second) // both report
		for i, n := range list {
			if n.Refused("login", "192.0.2.1", perMinute) == 0 && n.Allow("login", "192.0.2.1", perMinute) == 0 {
				t.Errorf("node %d accepts a request after 120", i)
			}
		}
		var clients sync.WaitGroup
		accepted := 0
		var mu sync.Mutex
		for i := range 200 {
			clients.Go(func() {
				if list[i%2].Allow("login", "192.0.2.2", perMinute) == 0 {
					mu.Lock()
					defer mu.Unlock()
					accepted++
				}
			})
		}
		clients.Wait()
		if accepted < 60 || accepted > 62 {
			t.Errorf("both nodes accept %d of another client", accepted)
		}
		stop()
	})
}

// A window forgets, keeps the order of time, and rejects what is not a window.
func TestApply(t *testing.T) {
	rate := throttle.Rate{Count: 3, Period: time.Hour}
	at := time.Unix(1_800_000_000, 0)
	text, _, g, err := shared.Apply("", shared.Claim{Rate: rate, Want: 5}, at)
	if err != nil || g.Granted != 3 || g.Wait <= time.Hour || g.Wait > 62*time.Minute {
		t.Fatalf("%q %+v %v", text, g, err)
	}
	for after, granted := range map[time.Duration]int{-time.Hour: 0, 0: 0, time.Hour: 0, 62 * time.Minute: 3, 24 * time.Hour: 3} {
		if _, _, g, err := shared.Apply(text, shared.Claim{Rate: rate, Want: 3}, at.Add(after)); g.Granted != granted || err != nil {
			t.Errorf("%v later: %+v %v", after, g, err)
		}
	}
	for _, wrong := range []string{"x", "1", "1:", ":1", "1:2:3"} {
		if _, _, _, err := shared.Apply(wrong, shared.Claim{Rate: rate, Want: 1}, at); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
	if _, _, g, _ := shared.Apply("", shared.Claim{Rate: throttle.Rate{Period: time.Hour}, Want: 1}, at); g.Granted != 0 || g.Wait != time.Hour {
		t.Errorf("a rate of 0: %+v", g)
	}
}
