package faults

// A load of clients who remember every answer. Each is a goroutine that does one thing over and over; what must never
// happen is written down when it does, and verify asks for everything that was answered.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// load is the clients and what they saw.
type load struct {
	t        testing.TB
	http     *http.Client
	url      func(turn int) string // where the next request goes
	several  bool                  // a node may be asked about a session that was logged out at another one
	rest     time.Duration         // between two requests of a client
	lifetime time.Duration         // of an access token
	stop     chan struct{}
	wait     sync.WaitGroup
	away     atomic.Bool // whose server is away may get no connection

	mu      sync.Mutex
	turn    int
	faults  []string          // what must never happen
	counts  map[string]int    // by what was asked and answered
	slowest time.Duration     // of all requests
	busy    int               // answers of 503
	prompt  int               // those of them that came before shortestLimit
	startup starting          // of the node that starts now, or started last
	members map[string]string // who was registered, with the password
	gone    []tokens          // logged out
	live    []*session        // of the refreshers
}

type tokens struct{ Access, Refresh string }

// session is what a refresher holds.
type session struct {
	tokens
	last time.Time // when a refresh was answered
}

// answer is what came back; status 0 is no answer at all.
type answer struct {
	status int
	body   map[string]any
}

func (a answer) text(name string) string { s, _ := a.body[name].(string); return s }

// newLoad has one user, alice, made by registration.
func newLoad(t testing.TB, urls ...string) *load {
	t.Helper()
	l := &load{
		t: t, stop: make(chan struct{}), counts: map[string]int{}, members: map[string]string{}, rest: 15 * time.Millisecond, lifetime: 5 * time.Minute,
		http: newClient(),
	}
	l.url = func(turn int) string { return urls[turn%len(urls)] }
	l.several = len(urls) > 1
	l.register("alice")
	l.register("changer")
	if len(l.members) != 2 {
		t.Fatalf("alice was not registered: %v", l.counts)
	}
	return l
}

func newClient() *http.Client {
	return &http.Client{Timeout: answered + 30*time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
}

const password = "correct horse battery"

// fault writes down what must never happen.
func (l *load) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.faults) < 20 {
		l.faults = append(l.faults, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
	}
}

// ask sends a request and judges what holds for every answer.
func (l *load) ask(what, method, path, access string, fields ...string) answer {
	l.mu.Lock()
	l.turn++
	base := l.url(l.turn)
	l.mu.Unlock()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	request, err := http.NewRequest(method, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if access != "" {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	began := time.Now()
	response, err := l.http.Do(request)
	if failed := (*net.OpError)(nil); l.away.Load() && errors.As(err, &failed) && failed.Op == "dial" {
		return answer{} // no request was sent
	}
	if err != nil {
		l.fault("%s was not answered after %v: %v", what, time.Since(began), err)
		return answer{}
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		l.fault("the answer to %s broke off: %v", what, err)
		return answer{}
	}
	a := answer{status: response.StatusCode}
	_ = json.Unmarshal(data, &a.body)
	l.judge(what, a, response.Header, began, data)
	return a
}

// judge looks at status, header and time.
func (l *load) judge(what string, a answer, h http.Header, began time.Time, data []byte) {
	took := time.Since(began)
	switch {
	case a.status >= 500 && (a.status != 503 || h.Get("Retry-After") == ""):
		l.fault("%s was answered %d, Retry-After %q: %.100q", what, a.status, h.Get("Retry-After"), data)
	case took > answered:
		l.fault("%s was answered (%d) after %v", what, a.status, took)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[fmt.Sprintf("%s %d", what, a.status)]++
	l.slowest = max(l.slowest, took)
	if a.status >= 500 {
		l.busy++
		switch {
		case l.startup.covers(began):
			l.startup.busy++
		case took < shortestLimit:
			l.prompt++
		}
	}
}

// shortestLimit is the shortest time after which the server gives up what a request waits for.
const shortestLimit = 3 * time.Second

// starting is a node that starts while clients send requests. It holds them for startHold; if its start takes longer, as on
// a slow machine, it answers 503 until it is ready.
type starting struct {
	isOn bool
	late bool // it took longer than startHold
	busy int  // answers of 503 meanwhile
	end  time.Time
}

const startHold = 2 * time.Second

// covers reports whether the answer to a request that began then may have been 503 for the start.
func (s *starting) covers(began time.Time) bool { return s.isOn || s.late && began.Before(s.end) }

func (l *load) duringStart(began time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.startup.covers(began)
}

// during calls start, which returns when a node is ready.
func (l *load) during(start func()) {
	l.mu.Lock()
	l.startup = starting{isOn: true}
	l.mu.Unlock()
	began := time.Now()
	start()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.startup.isOn, l.startup.end, l.startup.late = false, time.Now(), time.Since(began) > startHold
	if !l.startup.late {
		l.prompt += l.startup.busy
	}
}

// run starts a client that does one thing until the load ends.
func (l *load) run(do func(turn int)) {
	l.wait.Go(func() {
		for turn := 0; ; turn++ {
			select {
			case <-l.stop:
				return
			case <-time.After(l.rest):
				do(turn)
			}
		}
	})
}

// start starts the usual mix.
func (l *load) start() {
	l.t.Helper()
	for range 3 {
		s := &session{tokens: l.login("alice", password), last: time.Now()}
		if s.Refresh == "" {
			l.t.Fatalf("alice cannot log in: %v", l.counts)
		}
		l.live = append(l.live, s)
		l.run(func(int) { l.refresh(s) })
	}
	l.run(l.stranger)
	l.run(func(int) { l.inAndOut() })
	l.run(func(int) { l.ghost() })
	l.run(func(turn int) { l.register(fmt.Sprintf("member%d.%d", turn, time.Now().UnixNano())) })
	candidates := []string{password}
	l.run(func(turn int) { candidates = l.change(turn, candidates) })
}

// end stops the clients and tells what they saw.
func (l *load) end() {
	l.t.Helper()
	close(l.stop)
	l.wait.Wait()
	l.report()
}

func (l *load) report() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.faults {
		l.t.Error(f)
	}
	l.faults = nil
	var seen []string
	for _, what := range slices.Sorted(maps.Keys(l.counts)) {
		seen = append(seen, fmt.Sprintf("%s ×%d", what, l.counts[what]))
	}
	l.t.Logf("%s; slowest %v", strings.Join(seen, ", "), l.slowest.Round(time.Millisecond))
}
