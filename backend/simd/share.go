package simd

// share splits n pieces of work among the engine's threads; the caller is one of them. Where another caller
// has the threads it does the work itself.
func (b *Backend) share(n int, work func(from, to int)) {
	if n <= 0 {
		return
	}
	if n == 1 || b.threads == 1 || !b.pool.share(n, work) {
		work(0, n)
	}
}

// minimum is how many values a thread must have to be worth asking.
const minimum = 1 << 12

// shareRows is share for rows of some length, of which a thread gets enough to be worth it.
func (b *Backend) shareRows(rows, length int, work func(from, to int)) {
	if rows*length < 2*minimum {
		work(0, rows)
		return
	}
	b.share(rows, work)
}
