package recent_test

import (
	"sync"
	"testing"

	"github.com/kubelts/kubelts/internal/recent"
)

func TestCache(t *testing.T) {
	c := recent.New[int](80, func(s string) int { return len(s) })
	if v, ok := c.Find(1); ok {
		t.Errorf("an empty cache has %q", v)
	}
	c.Keep(0, "used often")
	c.Keep(1, "used once")
	for n := 2; n < 40; n++ {
		c.Keep(n, "0123456789")
		if v, ok := c.Find(n); !ok || v != "0123456789" {
			t.Fatalf("what was kept last is %q, %v", v, ok)
		}
		if v, ok := c.Find(0); !ok || v != "used often" {
			t.Fatalf("what is used all the time is %q, %v after %d others", v, ok, n)
		}
	}
	if _, ok := c.Find(1); ok {
		t.Error("what was not used for long is there")
	}
	c.Keep(100, "0123456789+")
	if _, ok := c.Find(100); ok {
		t.Error("what weighs more than an eighth of the limit is there")
	}
}

// TestCacheIsBounded: both generations together hold no more than twice the limit.
func TestCacheIsBounded(t *testing.T) {
	const limit = 1000
	c := recent.New[int](limit, func(n int) int { return n })
	var all sync.WaitGroup
	for from := range 4 {
		all.Go(func() {
			for n := from; n < 10_000; n += 4 {
				c.Keep(n, 1+n%100)
				c.Find(n / 2)
			}
		})
	}
	all.Wait()
	total := 0
	for n := range 10_000 {
		// What is only looked for in the old generation moves, so this counts each once.
		if v, ok := c.Find(n); ok {
			total += v
		}
	}
	if total == 0 || total > 2*limit {
		t.Errorf("it holds %d, the limit is %d for each half", total, limit)
	}
}
