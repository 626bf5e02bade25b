package webhook

// When to try again.

import (
	"hash/fnv"
	"net/http"
	"strconv"
	"time"
)

// schedule lists the pauses after each failed attempt, of which there are ten at most, in
// 75 hours: the example of Standard Webhooks.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// maxRetryAfter is the longest pause that a response can ask for.
const maxRetryAfter = 24 * time.Hour

// retryAt returns when to try again after a failure, or zero if the message is given up.
// The header Retry-After of the response makes the pause longer, not shorter.
func retryAt(d *Delivery, header http.Header, now time.Time) time.Time {
	if d.Attempts >= len(schedule) {
		return time.Time{}
	}
	wait := jitter(schedule[d.Attempts], d.ID, d.Attempts)
	return now.Add(max(wait, min(retryAfter(header, now), maxRetryAfter)))
}

// jitter returns the pause with up to 20 % more or less, so that messages that failed
// together are not all sent together again.
func jitter(pause time.Duration, id string, attempt int) time.Duration {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id + strconv.Itoa(attempt)))
	return pause + pause/500*time.Duration(int64(h.Sum32()%201)-100)
}

// retryAfter reads the header Retry-After (RFC 9110, section 10.2.3), or returns 0.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}
