package shared

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jotgate/jotgate/throttle"
)

// A window is the text in which a Store keeps the requests of a key: "slot:count" for
// each slot with requests, oldest first. A slot is 1/60 of the period.
const (
	slots = 60
	// kept is for how many slots a request counts: the whole period, the slot that it
	// began in, and one more for the time between the grant and the request.
	kept = slots + 2
)

type slot struct{ at, count int64 }

type window []slot

func parseWindow(text string) (w window, err error) {
	for field := range strings.FieldsSeq(text) {
		s, err := parseSlot(field)
		if err != nil {
			return nil, fmt.Errorf("the rate has a malformed row: %w", err)
		}
		w = append(w, s)
	}
	return w, nil
}

func parseSlot(text string) (s slot, err error) {
	at, count, _ := strings.Cut(text, ":")
	if s.at, err = strconv.ParseInt(at, 10, 64); err == nil {
		s.count, err = strconv.ParseInt(count, 10, 64)
	}
	return s, err
}

func (w window) String() string {
	fields := make([]string, len(w))
	for i, s := range w {
		fields[i] = strconv.FormatInt(s.at, 10) + ":" + strconv.FormatInt(s.count, 10)
	}
	return strings.Join(fields, " ")
}

// sum returns the number of requests.
func (w window) sum() (n int64) {
	for _, s := range w {
		n += s.count
	}
	return n
}

// now returns the current slot. A clock that is set back counts as stopped.
func (w window) now(slot int64) int64 {
	if n := len(w); n > 0 {
		return max(slot, w[n-1].at)
	}
	return slot
}

// live returns the slots that still count.
func (w window) live(now int64) window {
	return slices.DeleteFunc(w, func(s slot) bool { return s.at <= now-kept })
}

// add adds requests in the current slot.
func (w window) add(now, count int64) window {
	if count == 0 {
		return w
	}
	if n := len(w); n == 0 || w[n-1].at != now {
		w = append(w, slot{at: now})
	}
	w[len(w)-1].count += count
	return w
}

// Apply adds a claim to the counts of its key. text is what the Store has stored for the
// key, "" if nothing. Apply returns the text to store instead, the time after which it
// may be deleted, and the response to the claim. The error is that of a text that Apply
// has not written. A Store calls it while it holds a lock of the key.
func Apply(text string, c Claim, now time.Time) (next string, until time.Time, g Grant, err error) {
	w, err := parseWindow(text)
	if err != nil {
		return "", until, g, err
	}
	length := max(1, int64(c.Rate.Period/time.Microsecond)/slots)
	at := w.now(now.UnixMicro() / length)
	w = w.live(at)
	g.Granted = int(max(0, min(int64(c.Want), int64(c.Rate.Count)-w.sum()-int64(c.Made))))
	w = w.add(at, int64(c.Made+g.Granted))
	full := w.sum() >= int64(c.Rate.Count)
	if full {
		g.Wait = c.Rate.Period // of a rate that accepts nothing
	}
	if full && len(w) > 0 {
		g.Wait = max(time.Millisecond, time.UnixMicro((w[0].at+kept)*length).Sub(now))
	}
	return w.String(), time.UnixMicro((at + kept) * length), g, nil
}

// ahead is how many requests of a key a node may accept before the Store knows of them.
func ahead(r throttle.Rate) int { return r.Count / 60 }
