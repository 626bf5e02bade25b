package jwt

import "sync"

// A cache stores which tokens have a valid signature, and by which key. It
// caches only the signature check: the rules, the times and whether the key is
// still in the set are checked every time. A token has only one encoding, so its
// text is a safe cache key. There are two generations of equal size; when the
// young one is full, the old one is dropped. A cache is safe for concurrent use,
// and a nil cache is always empty.
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

// holds reports whether token is known to be signed by k.
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

// add records that token is signed by k.
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
