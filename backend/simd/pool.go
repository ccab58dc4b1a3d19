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
// worker that waits for somebody. Each thread has its part of a work, which it goes through chunk by chunk; one that is done takes
// chunks from the end of another's, so that a thread which the operating system keeps from running holds up the others by a chunk at most. Where
// that happens the cores are wanted by others too, and callers work alone for a while: threads in step with one another would
// lose a time slice at every step.
type pool struct {
	taken   sync.Mutex
	workers []*worker
	alone   time.Time     // until when callers work alone
	pause   time.Duration // how long they did the last time
}

// worker is a goroutine that helps with one job at a time.
type worker struct {
	thread int // 0 is the caller
	work   atomic.Pointer[job]
	asleep atomic.Bool
	wake   chan struct{}
}

// job is a shared work.
type job struct {
	run   func(from, to int)
	chunk int
	parts []atomic.Uint64 // each thread's steps that nobody has taken: from and to
	left  atomic.Int64    // steps that are not done
	last  bool            // the worker ends
}

// chunks is how many chunks a thread's part has.
const chunks = 8

func newJob(threads, n int, run func(from, to int)) *job {
	j := &job{run: run, chunk: max(1, n/threads/chunks), parts: make([]atomic.Uint64, threads)}
	j.left.Store(int64(n))
	for t := range threads {
		j.parts[t].Store(pack(t*n/threads, (t+1)*n/threads))
	}
	return j
}

func pack(from, to int) uint64 { return uint64(from)<<32 | uint64(to) }

// help does a thread's own part, and then what others have not come to.
func (j *job) help(thread int) {
	for i := range j.parts {
		for part := &j.parts[(thread+i)%len(j.parts)]; ; {
			rest := part.Load()
			from, to := int(rest>>32), int(rest&0xffffffff)
			if from >= to {
				break
			}
			start, end, left := from, min(from+j.chunk, to), uint64(0)
			if i == 0 {
				left = pack(end, to)
			} else {
				start, end = max(to-j.chunk, from), to
				left = pack(from, start)
			}
			if part.CompareAndSwap(rest, left) {
				j.run(start, end)
				j.left.Add(int64(start - end))
			}
		}
	}
}

func newPool(helpers int) *pool {
	p := &pool{}
	for i := range helpers {
		w := &worker{thread: i + 1, wake: make(chan struct{}, 1)}
		p.workers = append(p.workers, w)
		go w.loop()
	}
	return p
}

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
	j := newJob(threads, n, run)
	for _, w := range p.workers[:threads-1] {
		w.give(j)
	}
	j.help(0)
	if j.left.Load() > 0 {
		p.wait(j, start)
	}
	return true
}

// How long the caller, done with its own steps, waits for the others' before it takes them to be held back, apart from a quarter of the
// time that its own took; and for how long callers then work alone, twice as long each time it happens again soon.
const (
	heldBack   = 2 * time.Millisecond
	firstPause = 10 * time.Millisecond
	longPause  = 160 * time.Millisecond
)

// wait waits until all steps of a job, begun at start, are done.
func (p *pool) wait(j *job, start time.Time) {
	from := time.Now()
	for turn := 1; j.left.Load() > 0; turn++ {
		runtime.Gosched()
		if turn%64 == 0 && time.Since(from) > heldBack/4 {
			time.Sleep(heldBack / 16) // the core may be what the other thread waits for
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
		j.help(w.thread)
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
