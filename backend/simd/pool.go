package simd

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// pool keeps the engine's helping threads at hand: between two operations of a pass there are microseconds, less than it takes
// to start a goroutine on another core. A worker out of work spins for a moment, then sleeps.
//
// One caller at a time has the pool; a second one works alone meanwhile, so nobody ever waits for a
// worker that waits for somebody.
type pool struct {
	taken   sync.Mutex
	workers []*worker
}

// worker is a goroutine that takes one piece of work at a time.
type worker struct {
	work   atomic.Pointer[piece]
	asleep atomic.Bool
	wake   chan struct{}
}

// piece is a part of a shared work. The worker that has done it counts down pending.
type piece struct {
	run     func(from, to int)
	from    int
	to      int
	pending *atomic.Int32
	last    bool // the worker ends
}

func newPool(helpers int) *pool {
	p := &pool{}
	for range helpers {
		w := &worker{wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go w.loop()
	}
	return p
}

// share splits n pieces of work among the workers and the caller. It is false, and nothing is done, where
// somebody else has the pool.
func (p *pool) share(n int, run func(from, to int)) bool {
	if !p.taken.TryLock() {
		return false
	}
	defer p.taken.Unlock()
	threads := min(len(p.workers)+1, n)
	var pending atomic.Int32
	pending.Store(int32(threads - 1))
	for t := 1; t < threads; t++ {
		p.workers[t-1].give(&piece{run: run, from: t * n / threads, to: (t + 1) * n / threads, pending: &pending})
	}
	run(0, n/threads)
	for pending.Load() > 0 {
		runtime.Gosched()
	}
	return true
}

// close ends the workers, after a share under way.
func (p *pool) close() {
	p.taken.Lock()
	defer p.taken.Unlock()
	for _, w := range p.workers {
		w.give(&piece{last: true})
	}
	p.workers = nil
}

func (w *worker) give(p *piece) {
	w.work.Store(p)
	if w.asleep.Load() {
		select {
		case w.wake <- struct{}{}:
		default: // it has been woken already
		}
	}
}

// patience is how long a worker spins before it sleeps.
const patience = 100 * time.Microsecond

func (w *worker) loop() {
	for {
		p := w.next()
		if p.last {
			return
		}
		p.run(p.from, p.to)
		p.pending.Add(-1)
	}
}

// next waits for work.
func (w *worker) next() *piece {
	for start := time.Now(); time.Since(start) < patience; {
		for range 32 {
			if p := w.work.Swap(nil); p != nil {
				return p
			}
			runtime.Gosched()
		}
	}
	for {
		w.asleep.Store(true)
		p := w.work.Swap(nil) // given between the last look and falling asleep
		if p == nil {
			<-w.wake
			p = w.work.Swap(nil)
		}
		w.asleep.Store(false)
		if p != nil {
			return p
		}
	}
}
