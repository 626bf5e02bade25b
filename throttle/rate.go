// Rates as Django REST framework writes them, and Retry-After.

package throttle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxCount bounds Rate.Count, and with it the history of one key.
const maxCount = 1_000_000

// periods are the four that have an abbreviation.
var periods = []struct {
	letter string
	length time.Duration
}{{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// Rate allows Count requests in any span of Period. The zero Rate is not
// valid. Count is 0 to 1,000,000, and 0 rejects everything; Period is above
// zero.
type Rate struct {
	Count  int
	Period time.Duration
}

// ParseRate parses a rate such as "5/min": a number from 0 to 1,000,000 in digits,
// a slash, and a period in lower-case characters, of which the first one counts: s,
// m, h or d. Thus "m", "min" and "minute" are equal (rest_framework/throttling.py,
// parse_rate).
//
// It is stricter than DRF in two ways: it rejects blanks, signs and underscores in
// the number, and periods such as "month" and "ms", which DRF reads as a minute.
func ParseRate(s string) (Rate, error) {
	number, period, found := strings.Cut(s, "/")
	if len(s) > 32 || !found {
		return Rate{}, fmt.Errorf("throttle: rate %.40q is not of the form 5/min", s)
	}
	count, err := parseCount(number)
	if err != nil {
		return Rate{}, fmt.Errorf("throttle: rate %q: %w", s, err)
	}
	span, err := parsePeriod(period)
	if err != nil {
		return Rate{}, fmt.Errorf("throttle: rate %q: %w", s, err)
	}
	return Rate{Count: count, Period: span}, nil
}

func parseCount(s string) (int, error) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("the number before the slash may hold digits only")
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > maxCount {
		return 0, fmt.Errorf("the number before the slash must be 0 to %d", maxCount)
	}
	return n, nil
}

func parsePeriod(s string) (time.Duration, error) {
	for _, other := range []string{"mo", "ms", "mil", "mic"} { // not minutes, despite their first character
		if strings.HasPrefix(s, other) {
			return 0, fmt.Errorf("the period %q is none of s, m, h and d", s)
		}
	}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz") == "" {
		for _, span := range periods {
			if strings.HasPrefix(s, span.letter) {
				return span.length, nil
			}
		}
	}
	return 0, fmt.Errorf("the period %q is none of s, m, h and d", s)
}

// String returns the rate in the form that ParseRate reads, "5/m", if its period is
// one of the four that it knows. Another period is written as in Go: "5/1m30s".
func (r Rate) String() string {
	for _, span := range periods {
		if r.Period == span.length {
			return fmt.Sprintf("%d/%s", r.Count, span.letter)
		}
	}
	return fmt.Sprintf("%d/%v", r.Count, r.Period)
}

// valid returns an error for a rate outside the bounds of Rate.
func (r Rate) valid() error {
	if r.Count < 0 || r.Count > maxCount || r.Period <= 0 {
		return fmt.Errorf("throttle: rate %v: want a count of 0 to %d and a period above zero", r, maxCount)
	}
	return nil
}

// RetryAfter returns a wait in the form of the Retry-After header (RFC 9110
// section 10.2.3): whole seconds, rounded up as DRF does, at least 1.
func RetryAfter(wait time.Duration) string {
	seconds := int64(wait / time.Second)
	if wait%time.Second > 0 {
		seconds++
	}
	return strconv.FormatInt(max(seconds, 1), 10)
}
