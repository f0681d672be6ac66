package godialect

import (
	"crypto/sha256"
	"sync"
)

// maxRemembered bounds the source that lessons are remembered of.
const maxRemembered = 8 << 20

// Library learns, and remembers what pairs of files taught. It may be used from many goroutines. Its zero value is empty and ready.
type Library struct {
	mu      sync.Mutex
	lessons map[pairKey]*lesson
	size    int
}

// pairKey are digests of two texts.
type pairKey [2][sha256.Size]byte

// lesson is what a pair teaches. It is shared and must not be changed.
func (lib *Library) lesson(p Pair) *lesson {
	key := pairKey{sha256.Sum256(p.Base), sha256.Sum256(p.Ours)}
	lib.mu.Lock()
	l := lib.lessons[key]
	lib.mu.Unlock()
	if l != nil {
		return l
	}
	l = teach(p)
	lib.mu.Lock()
	defer lib.mu.Unlock()
	if lib.size += len(p.Base) + len(p.Ours); lib.lessons == nil || lib.size > maxRemembered {
		lib.lessons, lib.size = map[pairKey]*lesson{}, len(p.Base)+len(p.Ours)
	}
	lib.lessons[key] = l
	return l
}
