package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// garbageAllowed is how much the heap may grow before garbage is collected, where Go would wait until it has twice the size: with a model in it, hundreds of
// megabytes. Weights have no pointers, so that collecting more often costs next to nothing. What has pointers, such as a data set's questions, does cost: for
// that much the heap may grow besides, as Go has it.
const garbageAllowed = 32 << 20

// boundGarbage keeps the garbage of a process bounded, however large what stays is. Who sets GOGC has it otherwise.
func boundGarbage() {
	if os.Getenv("GOGC") == "" {
		afterCollection(100)
	}
}

// afterCollection sets the collector's percentage anew after each collection; percent is the present one.
func afterCollection(percent int) {
	type mark struct{ _ [16]byte } // large enough not to share its allocation with others that may live on
	runtime.SetFinalizer(new(mark), func(*mark) {
		heap := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/heap:bytes"}}
		metrics.Read(heap)
		wanted := percentOf(heap[0].Value.Uint64(), heap[1].Value.Uint64())
		if wanted != percent {
			debug.SetGCPercent(wanted)
		}
		afterCollection(wanted)
	})
}

// percentOf is the percentage by which a heap of so many bytes, of them so many in what has pointers, may grow: Go's own at most, and never so little that loading a
// model would collect all the time.
func percentOf(live, pointers uint64) int {
	const least, most = 5, 100
	return int(min(max((garbageAllowed+pointers)*100/max(live, 1), least), most))
}
