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
// worker that waits for somebody. Work is cut into more pieces than there are threads, and each thread takes the next when it is done with
// one: a thread that the operating system keeps from running holds up the others by a piece at most. Where that happens the cores are
// wanted by others too, and callers work alone for a while: threads in step with one another would lose a time slice at every step.
type pool struct {
	taken   sync.Mutex
	workers []*worker
	alone   time.Time     // until when callers work alone
	pause   time.Duration // how long they did the last time
}

// worker is a goroutine that helps with one job at a time.
type worker struct {
	work   atomic.Pointer[job]
	asleep atomic.Bool
	wake   chan struct{}
}

// job is a shared work of n steps, in pieces.
type job struct {
	run    func(from, to int)
	n      int
	pieces int32
	next   atomic.Int32 // the next piece that nobody has taken
	done   atomic.Int32
	last   bool // the worker ends
}

// help does pieces until none is left.
func (j *job) help() {
	for {
		i := int(j.next.Add(1)) - 1
		if i >= int(j.pieces) {
			return
		}
		if from, to := j.start(i), j.start(i+1); from < to {
			j.run(from, to)
		}
		j.done.Add(1)
	}
}

// start is where piece i begins. There is a long one for each thread, for a piece that goes on uses what the last has brought into the
// caches, and then short ones, which even out what the long ones took.
func (j *job) start(i int) int {
	threads := int(j.pieces) / (1 + shortEach)
	long := j.n * longPart / 100
	if i <= threads {
		return i * long / threads
	}
	return long + (i-threads)*(j.n-long)/(int(j.pieces)-threads)
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

// How a work is cut: for each thread there is a long piece, of longPart percent of the work together, and some short ones.
const (
	longPart  = 75
	shortEach = 2
)

// share splits n steps of work among the workers and the caller. It is false, and nothing is done, where
// somebody else has the pool.
func (p *pool) share(n int, run func(from, to int)) bool {
	if !p.taken.TryLock() {
		return false
	}
	defer p.taken.Unlock()
	start := time.Now()
	if start.Before(p.alone) {
		return false
	}
	threads := min(len(p.workers)+1, n)
	j := &job{run: run, n: n, pieces: int32(threads * (1 + shortEach))}
	for _, w := range p.workers[:threads-1] {
		w.give(j)
	}
	j.help()
	if j.done.Load() < j.pieces {
		p.wait(j, start)
	}
	return true
}

// How long the caller, done with its own pieces, waits for the others' before it takes them to be held back, apart from a quarter of the
// time that its own pieces took; and for how long callers then work alone, twice as long each time it happens again soon.
const (
	heldBack   = time.Millisecond
	firstPause = 10 * time.Millisecond
	longPause  = 160 * time.Millisecond
)

// wait waits until all pieces of a job, begun at start, are done.
func (p *pool) wait(j *job, start time.Time) {
	from := time.Now()
	for turn := 1; j.done.Load() < j.pieces; turn++ {
		runtime.Gosched()
		if turn%64 == 0 && time.Since(from) > patience {
			time.Sleep(patience / 4) // the core may be what the other thread waits for
		}
	}
	end := time.Now()
	if end.Sub(from) > heldBack+from.Sub(start)/4 {
		if end.Sub(p.alone) > longPause {
			p.pause = 0
		}
		p.pause = min(max(firstPause, 2*p.pause), longPause)
		p.alone = end.Add(p.pause)
	}
}

// close ends the workers, after a share under way.
func (p *pool) close() {
	p.taken.Lock()
	defer p.taken.Unlock()
	for _, w := range p.workers {
		w.give(&job{last: true})
	}
	p.workers = nil
}

func (w *worker) give(j *job) {
	w.work.Store(j)
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
		j := w.next()
		if j.last {
			return
		}
		j.help()
	}
}

// next waits for work.
func (w *worker) next() *job {
	for start := time.Now(); time.Since(start) < patience; {
		for range 32 {
			if j := w.work.Swap(nil); j != nil {
				return j
			}
			runtime.Gosched()
		}
	}
	for {
		w.asleep.Store(true)
		j := w.work.Swap(nil) // given between the last look and falling asleep
		if j == nil {
			<-w.wake
			j = w.work.Swap(nil)
		}
		w.asleep.Store(false)
		if j != nil {
			return j
		}
	}
}
