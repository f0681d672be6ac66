package cli

import (
	"math"
	"runtime/debug"
)

// batchMemory is how large a process with many picks gets before it takes more pains to collect garbage.
const batchMemory = 384 << 20

// boundMemory sets a soft limit, unless the environment (GOMEMLIMIT) sets one.
func boundMemory() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(batchMemory)
	}
}
