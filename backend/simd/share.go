package simd

import "sync"

// share splits n pieces of work among the engine's threads; the caller is one of them.
func (b *Backend) share(n int, work func(from, to int)) {
	threads := min(b.threads, n)
	if threads <= 1 {
		work(0, n)
		return
	}
	var group sync.WaitGroup
	for t := 1; t < threads; t++ {
		group.Go(func() { work(t*n/threads, (t+1)*n/threads) })
	}
	work(0, n/threads)
	group.Wait()
}

// minimum is how many values a thread must have to be worth starting.
const minimum = 1 << 13

// shareRows is share for rows of some length, of which a thread gets enough to be worth it.
func (b *Backend) shareRows(rows, length int, work func(from, to int)) {
	if rows*length < 2*minimum {
		work(0, rows)
		return
	}
	b.share(rows, work)
}
