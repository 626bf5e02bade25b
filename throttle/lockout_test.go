package throttle

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestPolicyWait(t *testing.T) {
	const quarter = 15 * time.Minute
	for _, row := range []struct {
		failures int
		since    time.Duration
		want     time.Duration
	}{
		{0, 0, 0},
		{4, 0, 0},
		{5, 0, time.Second},
		{6, 0, 2 * time.Second},
		{7, 0, 4 * time.Second},
		{14, 0, 512 * time.Second},
		{15, 0, quarter},
		{1_000, 0, quarter},
		{math.MaxInt, 0, quarter},
		{math.MinInt, 0, 0},
		{7, time.Second, 3 * time.Second},
		{7, 4*time.Second - 1, 1},
		{7, 4 * time.Second, 0},
		{15, quarter - 1, 1},
		{15, 24*time.Hour - 1, 0},
		{7, -time.Hour, 4 * time.Second}, // the clock was set back: the delay, not an hour more
	} {
		if got := (Policy{}).Wait(row.failures, noon.Add(-row.since), noon); got != row.want {
			t.Errorf("Wait(%d, %v ago) = %v, want %v", row.failures, row.since, got, row.want)
		}
	}
	if got := (Policy{}).Wait(0, time.Time{}, noon); got != 0 {
		t.Errorf("no failures at all: %v", got)
	}
}

func TestPolicyFields(t *testing.T) {
	p := Policy{Free: 1, First: 7 * time.Minute, Max: 10 * time.Minute, Forget: 8 * time.Minute}
	for failures, want := range []time.Duration{0, 7 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		if got := p.Wait(failures, noon, noon); got != want {
			t.Errorf("Wait(%d) = %v, want %v", failures, got, want)
		}
	}
	if got := p.Wait(3, noon.Add(-8*time.Minute), noon); got != 0 {
		t.Errorf("after Forget: %v", got)
	}
	if got := (Policy{First: time.Hour, Max: time.Minute}).Wait(5, noon, noon); got != time.Minute {
		t.Errorf("First over Max: %v, want Max", got)
	}
}

// More failures never shorten the wait, more time never lengthens it, and it
// stays between 0 and Max.
func TestPolicyWaitIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Free:  rapid.IntRange(-1, 30).Draw(t, "free"),
			First: time.Duration(rapid.Int64Range(-1, math.MaxInt64).Draw(t, "first")),
			Max:   time.Duration(rapid.Int64Range(-1, math.MaxInt64).Draw(t, "max")),
		}
		n := rapid.IntRange(0, 200).Draw(t, "failures")
		since := time.Duration(rapid.Int64Range(0, int64(48*time.Hour)).Draw(t, "since"))
		wait := p.Wait(n, noon.Add(-since), noon)
		if wait < 0 || wait > p.withDefaults().Max {
			t.Fatalf("wait is %v", wait)
		}
		if more := p.Wait(n+1, noon.Add(-since), noon); more < wait {
			t.Fatalf("a failure shortens the wait from %v to %v", wait, more)
		}
		if later := p.Wait(n, noon.Add(-since-time.Second), noon); later > wait {
			t.Fatalf("a second lengthens the wait from %v to %v", wait, later)
		}
	})
}

// table keeps failures as the package comment asks of the database.
type table struct {
	lockout Lockout
	rows    map[string]*struct {
		Tally
		known bool
	}
}

func newTable(known ...string) *table {
	t := &table{}
	t.rows = map[string]*struct {
		Tally
		known bool
	}{}
	for _, network := range known {
		t.row(network).known = true
	}
	return t
}

func (t *table) row(network string) *struct {
	Tally
	known bool
} {
	if t.rows[network] == nil {
		t.rows[network] = new(struct {
			Tally
			known bool
		})
	}
	return t.rows[network]
}

// ask is how long network must wait at now.
func (t *table) ask(network string, now time.Time) time.Duration {
	var sum Tally
	for _, r := range t.rows {
		if now.Sub(r.Last) < 24*time.Hour {
			sum.Failures += t.lockout.Share(r.Failures)
		}
		if r.Last.After(sum.Last) {
			sum.Last = r.Last
		}
	}
	r := t.row(network)
	return t.lockout.Wait(r.Tally, sum, r.known, now)
}

// guess tries a wrong password and reports whether it was admitted.
func (t *table) guess(network string, now time.Time) bool {
	if t.ask(network, now) > 0 {
		return false
	}
	r := t.row(network)
	if now.Sub(r.Last) >= 24*time.Hour {
		r.Failures = 0
	}
	r.Failures, r.Last = r.Failures+1, now
	return true
}

// guesses lets every network guess until refused, again and again for a time
// (every second, or every twenty over hours), and counts what is admitted. In this
// order the networks whose share is used up go first, which is what serves a
// guesser best.
func (t *table) guesses(networks []string, span time.Duration) (admitted int) {
	step := time.Second
	if span > time.Hour {
		step = 20 * time.Second
	}
	for at := time.Duration(0); at < span; at += step {
		for _, network := range networks {
			for t.guess(network, noon.Add(at)) {
				admitted++
			}
		}
	}
	return admitted
}

func addresses(n int) (a []string) {
	for i := range n {
		a = append(a, fmt.Sprintf("198.51.100.%d", i))
	}
	return a
}

// H012: one address, ten minutes, and the figures that Lockout states.
func TestBruteForceFromOneNetwork(t *testing.T) {
	if n := newTable().guesses(addresses(1), 10*time.Minute); n != 14 {
		t.Errorf("%d guesses admitted in ten minutes, want 14", n)
	}
	if n := newTable().guesses(addresses(1), 24*time.Hour); n > 110 {
		t.Errorf("%d guesses admitted in a day, want at most 110", n)
	}
}

// H012, its end: the right password obeys the delay like any other.
func TestRightPasswordObeysTheDelay(t *testing.T) {
	tbl := newTable("192.0.2.1")
	for range 5 {
		tbl.guess("192.0.2.1", noon)
	}
	if wait := tbl.ask("192.0.2.1", noon); wait != time.Second {
		t.Errorf("wait is %v, want 1s", wait)
	}
}

// H013: one try each from 150 addresses, and then all of them for long.
func TestBruteForceFromManyNetworks(t *testing.T) {
	tbl, admitted := newTable(), 0
	for i, network := range addresses(150) {
		if tbl.guess(network, noon.Add(time.Duration(i)*4*time.Second)) {
			admitted++
		}
	}
	if admitted > 29 {
		t.Errorf("%d of 150 single tries admitted, want at most 29", admitted)
	}
	for _, networks := range []int{2, 3, 4, 5, 6, 7, 10, 150} {
		n := newTable().guesses(addresses(networks), 10*time.Minute)
		t.Logf("%d networks: %d guesses admitted in ten minutes", networks, n)
		if n > 65 {
			t.Errorf("%d networks: %d guesses admitted in ten minutes, want at most 65", networks, n)
		}
	}
	for _, networks := range []int{4, 5, 6, 7, 10} {
		n := newTable().guesses(addresses(networks), 24*time.Hour)
		t.Logf("%d networks: %d guesses admitted in a day", networks, n)
		if n > 560 {
			t.Errorf("%d networks: %d guesses admitted in a day, want at most 560", networks, n)
		}
	}
}

// H015: strangers do not lock the owner out. At home nothing slows her; from a
// new place, one stranger does not either, and many cost five minutes at most.
func TestOtherClientsDoNotLockOut(t *testing.T) {
	one := newTable("home")
	one.guesses(addresses(1), 24*time.Hour)
	many := newTable("home")
	many.guesses(addresses(100), 6*time.Hour)
	for _, row := range []struct {
		name, network string
		tbl           *table
		after         time.Duration
		most          time.Duration
	}{
		{"one stranger, home", "home", one, 24 * time.Hour, 0},
		{"one stranger, new place", "cafe", one, 24 * time.Hour, 0},
		{"many strangers, home", "home", many, 6 * time.Hour, 0},
		{"many strangers, new place", "cafe", many, 6 * time.Hour, 5 * time.Minute},
	} {
		if wait := row.tbl.ask(row.network, noon.Add(row.after)); wait > row.most {
			t.Errorf("%s: wait is %v, want at most %v", row.name, wait, row.most)
		}
	}
	if wait := many.ask("cafe", noon.Add(6*time.Hour)); wait == 0 {
		t.Error("a hundred strangers do not slow a new place: the account's counter does nothing")
	}
}

// Refused tries change nothing, so asking does not keep a delay alive.
func TestAskingKeepsNothingAlive(t *testing.T) {
	tbl := newTable()
	for range 5 {
		tbl.guess("a", noon)
	}
	for range 1000 {
		tbl.guess("a", noon.Add(time.Second-1))
	}
	if wait := tbl.ask("a", noon.Add(time.Second)); wait != 0 {
		t.Errorf("wait is %v after a thousand refused tries, want 0", wait)
	}
}

func TestAccountPolicyFields(t *testing.T) {
	l := Lockout{Account: Policy{Free: 1, First: time.Minute, Max: 2 * time.Minute}}
	got := l.Wait(Tally{}, Tally{Failures: 9, Last: noon}, false, noon)
	if got != 2*time.Minute {
		t.Errorf("wait is %v, want 2m", got)
	}
	if n := l.Share(-3); n != 0 {
		t.Errorf("Share(-3) = %d", n)
	}
}
