package cli

import (
	"math"
	"runtime/debug"
)

const (
	// batchMemory is how large a process with many picks gets, in bytes, before it takes more pains to collect garbage.
	batchMemory = 420 << 20
	// batchGarbage is by how much, in percent, its memory may grow before garbage is collected; below batchMemory there is no need to be thrifty.
	batchGarbage = 250
	// usualGarbage is what Go takes where nobody says otherwise.
	usualGarbage = 100
)

// boundMemory trades memory for time up to a soft limit, unless the environment (GOMEMLIMIT, GOGC) says how.
func boundMemory() {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	debug.SetMemoryLimit(batchMemory)
	if was := debug.SetGCPercent(batchGarbage); was != usualGarbage {
		debug.SetGCPercent(was)
	}
}
