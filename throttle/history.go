// The times of one key's accepted requests: a ring that grows as needed.

package throttle

import "time"

// mostTimes bounds the times of a key, and with them its memory: 32 KiB.
const mostTimes = 4096

// unit is how many requests one time stands for. It is 1, and the count exact, if the
// limit is at most mostTimes; otherwise the oldest time may stand for some that have expired.
func unit(limit int) int { return (limit + mostTimes - 1) / mostTimes }

// history holds the times of accepted requests, oldest first, as the time
// since the Limiter's start. The zero history is empty.
type history struct {
	key    string
	times  []time.Duration // the ring; its length is the capacity
	head   int             // index of the oldest
	n      int             // how many are held
	newer  int             // requests after these, fewer than a unit
	newest time.Duration   // of all
}

func (h *history) at(i int) time.Duration { return h.times[(h.head+i)%len(h.times)] }

func (h *history) oldest() time.Duration { return h.at(0) }

// count returns how many requests are held.
func (h *history) count(limit int) int { return h.n*unit(limit) + h.newer }

// drop removes the requests accepted at or before cut.
func (h *history) drop(cut time.Duration) {
	for h.n > 0 && h.oldest() <= cut {
		h.head = (h.head + 1) % len(h.times)
		h.n--
	}
	if h.newest <= cut {
		h.newer = 0
	}
}

// growth returns how many places push will add to the ring.
func (h *history) growth(limit int) int {
	if h.n < len(h.times) || h.newer+1 < unit(limit) {
		return 0
	}
	return min(max(2*h.n, 1), limit/unit(limit)) - h.n
}

// push adds the newest time. It requires count < limit.
func (h *history) push(now time.Duration, limit int) {
	grow := h.growth(limit)
	h.newest = now
	if h.newer++; h.newer < unit(limit) {
		return
	}
	h.newer = 0
	if grow > 0 {
		ring := make([]time.Duration, h.n+grow)
		for i := range h.n {
			ring[i] = h.at(i)
		}
		h.times, h.head = ring, 0
	}
	h.times[(h.head+h.n)%len(h.times)] = now
	h.n++
}
