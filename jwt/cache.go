package jwt

import "sync"

// A cache remembers which whole tokens were found genuine, and by which key.
// Only the signature is remembered: times, rules and the question whether the
// key is still in the set are answered anew at each call, and a token has one
// spelling only, so nothing can come in by another name. It holds two
// generations of equal size: when the younger is full, the older is dropped.
type cache struct {
	mu    sync.RWMutex
	half  int
	young map[string]*Key
	old   map[string]*Key
}

func newCache(size int) *cache {
	if size == 0 {
		return nil
	}
	return &cache{half: (size + 1) / 2, young: map[string]*Key{}}
}

// holds reports whether token was found genuine by k.
func (c *cache) holds(token string, k *Key) bool {
	if c == nil || k.IsSecret() {
		return false
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.young[token] == k {
		return true
	}
	return c.old[token] == k
}

// add remembers that token was found genuine by k.
func (c *cache) add(token string, k *Key) {
	if c == nil || k.IsSecret() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.young) >= c.half {
		c.young, c.old = make(map[string]*Key, c.half), c.young
	}
	c.young[token] = k
}
