package gauge

import (
	"math"
	"strings"
	"testing"

	"github.com/jotgate/jotgate/passwd"
)

// report returns the figures of a machine with two processors on which argon2
// takes the given time in milliseconds and the defaults are right.
func report(took float64) *Report {
	return &Report{
		Processors: 2, Hashes: []Hash{newHash(standard, took, took, 19)},
		Checks: Load{Clients: clients, PerSecond: 10000}, Refreshes: Load{Clients: clients, PerSecond: 4000},
		Floods: []Flood{
			{Concurrency: 1, Logins: 1000 / took, Reader: Load{P99: 1}},
			{Concurrency: 2, Logins: 1800 / took, Reader: Load{P99: 5}},
		},
	}
}

func TestAdvice(t *testing.T) {
	tuned := newHash("argon2:m=65536,t=2,p=1", 101, 101, 64)
	for _, c := range []struct {
		name   string
		change func(r *Report)
		want   Advice // without Words
		says   string
	}{
		{"defaults are right", func(*Report) {}, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "argon2: a hash takes 80 ms, within the recommended 50 to 250 ms"},
		{"too quick", func(r *Report) {
			*r = *report(30)
			r.tuned, r.Hashes = &tuned, append(r.Hashes, tuned)
		}, Advice{
			Hasher: tuned.Hasher, HashTime: 101, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 1000.0 / 101, LoginWait: 65 * .101,
			ProxyTimeout: 12, ProxyRate: 7000,
		}, "guessing costs 3.4 times as much"},
		{"too slow, but argon2 is not", func(r *Report) {
			r.Hashes = append([]Hash{newHash("django-6.2", 800, 800, 0)}, r.Hashes...)
			r.Floods[0].Logins = 1.25
		}, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "80 ms instead of 800 (django-6.2)"},
		{"all hashers too slow", func(r *Report) { *r = *report(1000) }, Advice{
			Hasher: standard, HashTime: 1000, HashConcurrency: 1, HashMemory: 256, HashQueue: 10, Logins: 1, LoginWait: 11,
			ProxyTimeout: 16, ProxyRate: 7000,
		}, "no other measured hasher is closer"},
		{"more concurrency at no cost", func(r *Report) { r.Floods[1].Reader.P99 = 1.9 }, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 2, HashMemory: 256, HashQueue: 128, Logins: 22.5, LoginWait: 130 / 22.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "--hash-concurrency=2"},
		{"more concurrency without a gain", func(r *Report) { r.Floods[1] = Flood{Concurrency: 2, Logins: 13, Reader: Load{P99: 1}} }, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "--hash-concurrency=1"},
		{"much memory", func(r *Report) { r.Hashes[0].Memory = 300 }, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 300, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "--hash-memory=300"},
		{"one processor", func(r *Report) { r.Floods = r.Floods[:1] }, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "there is one processor"},
		{"busy machine", func(r *Report) { r.Hashes[0].Median = 160 }, Advice{
			Hasher: standard, HashTime: 80, HashConcurrency: 1, HashMemory: 256, HashQueue: 64, Logins: 12.5, LoginWait: 65 / 12.5,
			ProxyTimeout: 11, ProxyRate: 7000,
		}, "Measure again when nothing else is running: half of the hashes took at least 2.0 times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := report(80)
			c.change(r)
			got := r.Advise()
			words := strings.Join(got.Words, "\n")
			if got.Words = nil; !same(got, c.want) || !strings.Contains(words, c.says) {
				t.Errorf("got %+v\nwant %+v\nin words: %s\nwhich should say: %s", got, c.want, words, c.says)
			}
			if strings.Contains(words, "Measure again") != (c.name == "busy machine") {
				t.Errorf("in words: %s", words)
			}
		})
	}
}

// same compares advice, allowing for rounding.
func same(a, b Advice) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-6 }
	return a.Hasher == b.Hasher && near(a.HashTime, b.HashTime) && a.HashConcurrency == b.HashConcurrency && a.HashMemory == b.HashMemory &&
		a.HashQueue == b.HashQueue && near(a.Logins, b.Logins) && near(a.LoginWait, b.LoginWait) &&
		a.ProxyTimeout == b.ProxyTimeout && a.ProxyRate == b.ProxyRate
}

// The parameters are accepted by passwd, stronger than the default, and cost what
// is intended.
func TestStronger(t *testing.T) {
	for took, want := range map[float64]string{
		49: "argon2:m=38912,t=2,p=1", 30: "argon2:m=64512,t=2,p=1", 10: "argon2:m=65536,t=6,p=1", 1: "argon2:m=65536,t=59,p=1",
	} {
		got := stronger(took)
		if got != want {
			t.Errorf("if argon2 takes %v ms: %s, want %s", took, got, want)
		}
		if _, err := passwd.New(got); err != nil {
			t.Error(err)
		}
	}
}
