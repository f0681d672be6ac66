// Package recent remembers what was used lately, within a bound on how much that is.
//
// There are two generations. What is kept or found goes into the young one; when that is full it becomes the old one, and what the old one had is forgotten. So
// whatever was used since the young one began is there, without a list to be kept in order. A [Cache] may be used from many goroutines.
package recent

import "sync"

// tooLarge is the part of the limit beyond which one thing is not kept: it would drive out too much else.
const tooLarge = 8

// Cache holds values by key.
type Cache[K comparable, V any] struct {
	limit int
	weigh func(V) int

	mu         sync.Mutex
	young, old map[K]V
	weight     int // of the young ones
}

// New returns an empty cache whose two generations weigh at most limit each. weigh says what a value weighs, in the limit's unit.
func New[K comparable, V any](limit int, weigh func(V) int) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, weigh: weigh, young: map[K]V{}}
}

// Find returns a value that is still there.
func (c *Cache[K, V]) Find(key K) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.insert(key, v)
	}
	return v, ok
}

// Keep takes a value in. One that weighs more than an eighth of the limit is not kept.
func (c *Cache[K, V]) Keep(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.insert(key, v)
}

func (c *Cache[K, V]) insert(key K, v V) {
	w := c.weigh(v)
	if w > c.limit/tooLarge {
		return
	}
	if c.weight += w; c.weight > c.limit {
		c.old, c.young, c.weight = c.young, map[K]V{}, w
	}
	c.young[key] = v
}
