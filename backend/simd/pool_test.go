package simd

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestPool: every piece is done once, whoever does it, awake or asleep, with many callers.
func TestPool(t *testing.T) {
	p := newPool(3)
	defer p.close()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for round := range 200 {
				n := 1 + round%7
				done := make([]atomic.Int32, n)
				work := func(from, to int) {
					for i := from; i < to; i++ {
						done[i].Add(1)
					}
				}
				if !p.share(n, work) {
					work(0, n)
				}
				for i := range done {
					if got := done[i].Load(); got != 1 {
						t.Errorf("piece %d of %d was done %d times", i, n, got)
					}
				}
				if round%50 == 49 {
					time.Sleep(2 * patience)
				}
			}
		})
	}
	group.Wait()
}

// TestPoolCloses: the workers end, asleep or not.
func TestPoolCloses(t *testing.T) {
	for _, pause := range []time.Duration{0, 3 * patience} {
		p := newPool(4)
		time.Sleep(pause)
		p.close()
		done := 0
		if !p.share(2, func(from, to int) { done += to - from }) || done != 2 {
			t.Errorf("after close the caller did %d of 2 pieces", done)
		}
	}
}

func BenchmarkShare(b *testing.B) {
	p := newPool(1)
	defer p.close()
	for b.Loop() {
		p.share(2, func(int, int) {})
	}
}

// TestOneThreadDoesAll: what other threads do not come to, one does, each step once.
func TestOneThreadDoesAll(t *testing.T) {
	for _, n := range []int{1, 2, 7, 100, 1000} {
		done := make([]int, n)
		j := newJob(min(3, n), n, func(from, to int) {
			for i := from; i < to; i++ {
				done[i]++
			}
		})
		j.help(0)
		if left := j.left.Load(); left != 0 {
			t.Errorf("%d of %d steps are left", left, n)
		}
		for i, times := range done {
			if times != 1 {
				t.Errorf("step %d of %d was done %d times", i, n, times)
			}
		}
	}
}

// TestAlone: after a wait for a thread that was held back callers are told to work alone, and later no longer.
func TestAlone(t *testing.T) {
	p := newPool(1)
	defer p.close()
	mine := make(chan bool)
	shared := p.share(2, func(from, to int) {
		if from == 0 {
			<-mine // until the worker has begun
			return
		}
		mine <- true
		time.Sleep(10 * heldBack)
	})
	if !shared {
		t.Fatal("nothing was shared")
	}
	nothing := func(int, int) {}
	if p.share(2, nothing) {
		t.Error("a thread was held back, and work is shared at once")
	}
	time.Sleep(firstPause + firstPause/2)
	if !p.share(2, nothing) {
		t.Error("work is not shared again")
	}
}
