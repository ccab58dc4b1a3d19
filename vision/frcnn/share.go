package frcnn

import (
	"runtime"
	"sync"
	"sync/atomic"
)

func workers() int { return runtime.GOMAXPROCS(0) }

// share does n pieces of work on some goroutines, each of which knows which it is.
func share(n, workers int, work func(worker, i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			work(0, i)
		}
		return
	}
	var next atomic.Int64
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(worker, i)
			}
		})
	}
	all.Wait()
}
