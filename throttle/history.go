// The times of one key's accepted requests: a ring that grows as needed.

package throttle

import "time"

// history holds the times of accepted requests, oldest first, as the time
// since the Limiter's start. The zero history is empty.
type history struct {
	key   string
	times []time.Duration // the ring; its length is the capacity
	head  int             // index of the oldest
	n     int             // how many are held
}

func (h *history) at(i int) time.Duration { return h.times[(h.head+i)%len(h.times)] }

func (h *history) oldest() time.Duration { return h.at(0) }

func (h *history) newest() time.Duration { return h.at(h.n - 1) }

// drop removes the requests accepted at or before cut.
func (h *history) drop(cut time.Duration) {
	for h.n > 0 && h.oldest() <= cut {
		h.head = (h.head + 1) % len(h.times)
		h.n--
	}
}

// growth returns how many places push will add to the ring.
func (h *history) growth(limit int) int {
	if h.n < len(h.times) {
		return 0
	}
	return min(max(2*h.n, 1), limit) - h.n
}

// push adds the newest time. It requires n < limit.
func (h *history) push(now time.Duration, limit int) {
	if grow := h.growth(limit); grow > 0 {
		ring := make([]time.Duration, h.n+grow)
		for i := range h.n {
			ring[i] = h.at(i)
		}
		h.times, h.head = ring, 0
	}
	h.times[(h.head+h.n)%len(h.times)] = now
	h.n++
}
