package jotgate_test

// Several nodes on one database: their clocks differ, and their feeds are
// behind a load balancer.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jotgate/jotgate"
	"github.com/jotgate/jotgate/internal/sqlitetest"
	"github.com/jotgate/jotgate/store"
)

// skews are the errors of a node's clock.
var skews = []time.Duration{0, 15 * time.Second, time.Hour, -time.Hour}

// Whatever the clocks of the nodes that issue a token, end its session and
// receive the token: after the next reading of the feed no node accepts it.
func TestClocksApart(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.Store) {
		var nodes []*bench
		for _, skew := range skews {
			node := gateOn(t, db, nil)
			node.clock.Advance(skew)
			nodes = append(nodes, node)
		}
		nodes[0].user(t, "alice", nil)
		for i, issuer := range nodes {
			for j, ender := range nodes {
				tokens := issuer.login(t, "alice")
				if err := ender.Sessions().End(t.Context(), tokens.User.ID, tokens.User.Session, jotgate.Client{}); err != nil {
					t.Fatal(err)
				}
				for k, reader := range nodes {
					if err := reader.Sync(t.Context()); err != nil {
						t.Fatal(err)
					}
					if _, err := reader.VerifyAccess(tokens.Access); err == nil {
						t.Errorf("issued %v ahead, ended %v ahead: it opens the node that is %v ahead", skews[i], skews[j], skews[k])
					}
				}
			}
		}
	})
}

// A node keeps a revocation for as long as a token of that session can live by
// the node's own clock, though the token's times come from another one.
func TestClocksApartForLong(t *testing.T) {
	for _, skew := range skews {
		t.Run(skew.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				db := sqlitetest.Open(t)
				issuer, reader := gateOn(t, db, nil), gateOn(t, db, nil)
				issuer.clock.Advance(skew)
				issuer.user(t, "alice", nil)
				out, live := issuer.login(t, "alice"), issuer.login(t, "alice")
				if err := reader.Sessions().End(t.Context(), out.User.ID, out.User.Session, jotgate.Client{}); err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- reader.Run(ctx) }()
				defer func() {
					stop()
					if err := <-ended; !errors.Is(err, context.Canceled) {
						t.Error(err)
					}
				}()
				opened := 0
				for range 80 {
					if _, err := reader.VerifyAccess(out.Access); err == nil {
						t.Fatalf("at %v the token of an ended session, issued %v ahead, opens the gate", reader.clock.Now(), skew)
					}
					if _, err := reader.VerifyAccess(live.Access); err == nil {
						opened++
					}
					reader.clock.Advance(time.Minute)
					time.Sleep(time.Minute) // the node sweeps
				}
				if opened == 0 && skew >= 0 {
					t.Error("a live session's token opened the gate at no time: nothing was shown")
				}
			})
		})
	}
}

// balancer passes requests to its nodes in turn, and counts them.
type balancer struct {
	mu       sync.Mutex
	nodes    []http.Handler
	requests int
	complete int // pages with complete true
	lastPage string
}

func (b *balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	node := b.nodes[b.requests%len(b.nodes)]
	b.requests++
	b.mu.Unlock()
	w := httptest.NewRecorder()
	node.ServeHTTP(w, r)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lastPage = w.Body.String(); strings.Contains(b.lastPage, `"complete":true`) {
		b.complete++
	}
	return w.Result(), nil
}

// A Guard behind a load balancer continues on any node: one request in 20 s
// while nothing happens, one for each revocation, and one complete page in all.
func TestFeedBehindARoundRobin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := sqlitetest.Open(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		run := func(g interface{ Run(context.Context) error }) { go func() { ended <- g.Run(ctx) }() }
		b := &balancer{}
		var nodes []*bench
		for range 2 {
			node := gateOn(t, db, func(s *jotgate.Settings) { s.ServeRevocations, s.Now = true, time.Now })
			if err := node.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			run(node)
			nodes, b.nodes = append(nodes, node), append(b.nodes, node.Sessions().RevocationFeed())
		}
		nodes[0].user(t, "alice", nil)
		sessions := make([]jotgate.Tokens, 5)
		for i := range sessions {
			sessions[i] = nodes[0].login(t, "alice")
		}
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key(t), RevocationsURL: "http://feed.example/"})
		if err != nil {
			t.Fatal(err)
		}
		guard.FollowOver(b)
		run(guard)
		count := func(when string, requests int) {
			t.Helper()
			synctest.Wait()
			b.mu.Lock()
			defer b.mu.Unlock()
			if b.requests != requests || b.complete != 1 {
				t.Errorf("%s: %d requests, %d complete pages, want %d and 1; the last page is %s", when, b.requests, b.complete, requests, b.lastPage)
			}
		}
		time.Sleep(100 * time.Second) // at 0, 1, 21, 41, 61, 81 s
		count("quiet", 6)
		for i, tokens := range sessions {
			if err := nodes[i%2].Logout(t.Context(), tokens.Refresh, jotgate.Client{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			if _, err := guard.VerifyAccess(tokens.Access); err == nil {
				t.Errorf("session %d: not refused a second after it ended", i)
			}
			count(fmt.Sprint("after revocation ", i), 7+i)
		}
		restarted := gateOn(t, db, func(s *jotgate.Settings) { s.ServeRevocations, s.Now = true, time.Now })
		if err := restarted.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		run(restarted)
		b.mu.Lock()
		b.nodes[1] = restarted.Sessions().RevocationFeed()
		b.mu.Unlock()
		time.Sleep(100 * time.Second)
		count("a node restarted", 16)
		stop()
		for range 4 {
			<-ended
		}
	})
}

// An error is followed by pauses that double, with jitter, up to eight seconds.
func TestFeedBacksOff(t *testing.T) {
	for name, node := range map[string]http.HandlerFunc{
		"down":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) },
		"throttled":  func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "1"); w.WriteHeader(429) },
		"not signed": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				guard := newGuard(t, func(s *jotgate.GuardSettings) { s.RevocationsURL = "http://feed.example/" })
				b := &balancer{nodes: []http.Handler{node}}
				guard.FollowOver(b)
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan error)
				go func() { ended <- guard.Run(ctx) }()
				time.Sleep(10 * time.Minute)
				stop()
				<-ended
				// The pauses are 0.25 to 0.5 s, …, then 4 to 8 s.
				if b.requests < 600/8 || b.requests > 600/4+8 {
					t.Errorf("%d requests in ten minutes", b.requests)
				}
			})
		})
	}
}

// However a server responds, a Guard sends at most ten requests per second.
func TestFeedNeverSpins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one := newGate(t, func(s *jotgate.Settings) { s.ServeRevocations, s.Now = true, time.Now })
		if err := one.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		forgets := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // like nodes of earlier versions
			query := r.URL.Query()
			query.Del("since")
			r.URL.RawQuery = query.Encode()
			one.Sessions().RevocationFeed().ServeHTTP(w, r)
		})
		guard, err := jotgate.NewGuard(jotgate.GuardSettings{Keys: key(t), RevocationsURL: "http://feed.example/"})
		if err != nil {
			t.Fatal(err)
		}
		b := &balancer{nodes: []http.Handler{forgets}}
		guard.FollowOver(b)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		running := make(chan error)
		go func() { running <- one.Run(ctx) }()
		ended := make(chan error)
		go func() { ended <- guard.Run(ctx) }()
		time.Sleep(60*time.Second + time.Millisecond)
		synctest.Wait()
		if b.requests != 61 || b.complete != 61 {
			t.Errorf("%d requests, %d complete pages in a minute, want 61", b.requests, b.complete)
		}
		stop()
		<-running
		<-ended
	})
}
