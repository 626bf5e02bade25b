package throttle

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseRate(t *testing.T) {
	const day = 24 * time.Hour
	for in, want := range map[string]Rate{
		"5/min":     {5, time.Minute},
		"10/s":      {10, time.Second},
		"100/hour":  {100, time.Hour},
		"1000/day":  {1000, day},
		"5/m":       {5, time.Minute},
		"5/minutes": {5, time.Minute},
		"5/sec":     {5, time.Second},
		"5/days":    {5, day},
		"007/h":     {7, time.Hour},
		"0/h":       {0, time.Hour},
		"1000000/d": {1_000_000, day},
	} {
		if got, err := ParseRate(in); err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v, want %v", in, got, err, want)
		}
	}
}

// Each row spoils an accepted rate in one point.
func TestParseRateRefuses(t *testing.T) {
	for _, in := range []string{
		"", "5", "/min", "5/", "5min", "5//min", "5/min/", "5/1m",
		"-5/min", "+5/min", " 5/min", "5 /min", "5/ min", "5/min ", "5_0/min", "5.0/min", "٥/min",
		"1000001/min", "99999999999999999999/min", "00000000000000000000000000005/min",
		"5/M", "5/Min", "5/x", "5/year", "5/week", "5/mïn",
		"5/month", "5/mo", "5/ms", "5/millisecond", "5/microsecond",
	} {
		if got, err := ParseRate(in); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", in, got)
		}
	}
}

func TestRateString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := Rate{
			rapid.IntRange(0, maxCount).Draw(t, "count"),
			rapid.SampledFrom([]time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "period"),
		}
		if got, err := ParseRate(want.String()); err != nil || got != want {
			t.Fatalf("ParseRate(%q) = %v, %v", want.String(), got, err)
		}
	})
	if got := (Rate{5, 90 * time.Second}).String(); got != "5/1m30s" {
		t.Errorf("String() = %q", got)
	}
}

func TestRetryAfter(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		-time.Second: "1", 0: "1", 1: "1", time.Second: "1", time.Second + 1: "2",
		57*time.Second + 100*time.Millisecond: "58", time.Minute: "60", 24 * time.Hour: "86400",
	} {
		if got := RetryAfter(wait); got != want {
			t.Errorf("RetryAfter(%v) = %s, want %s", wait, got, want)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"5/min", "0/s", "1000/day", "5/month", "5/", "/", "5/ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			if r != (Rate{}) {
				t.Fatalf("ParseRate(%q) gives %v beside an error", s, r)
			}
			return
		}
		if again, err := ParseRate(r.String()); err != nil || again != r || r.valid() != nil {
			t.Fatalf("ParseRate(%q) = %v, written and read again: %v, %v", s, r, again, err)
		}
	})
}
