package kernel

// shortResult is where a product's result goes that is rounded to bfloat16: sums are made beside it, a panel at a time.
type shortResult struct {
	c    []uint16
	ldc  int
	sums []float32 // a panel's columns of all rows, or of a tile where its sums are made in one go
}

// ShortScratch is how many values [Packed.MulBF16] of m rows needs for itself; [Set.MulOnceBF16] needs them beside [Set.OnceScratch].
func (s *Set) ShortScratch(m int) int { return max(m, s.rows) * s.width }

// MulBF16 is [Packed.Mul] with a result of bfloat16, as its 16 bits, of a set of that type: what Mul has, rounded once, to the nearest, ties
// to even. scratch has [Set.ShortScratch] values, of this goroutine alone.
func (p *Packed) MulBF16(c []uint16, ldc int, left []float32, m, from, to int, e Epilogue, scratch []float32) {
	p.checkMul("MulBF16", left, m, from, to, &e)
	w, ok := p.shortWork("MulBF16", c, ldc, left, m, from, to, &e, scratch)
	if !ok {
		return
	}
	for w.panel = from; w.panel < to; w.panel++ {
		for w.k0 = 0; w.k0 < p.steps; w.k0 += blockK {
			w.next = min(blockK, p.steps-w.k0)
			w.tiles()
		}
	}
}

// MulOnceBF16 is [Set.MulOnce] as MulBF16 is Mul.
func (s *Set) MulOnceBF16(c []uint16, ldc int, left []float32, right *Right, m, from, to int, e Epilogue, scratch []float32) {
	p := s.once("MulOnceBF16", left, right, m, from, to, &e, scratch)
	size := s.OnceScratch(right.K)
	if w, ok := p.shortWork("MulOnceBF16", c, ldc, left, m, from, to, &e, scratch[size:]); ok {
		w.once(right, from, to, scratch[:size])
	}
}

// shortWork is a product's work; it is false where nothing is left to do.
func (p *Packed) shortWork(function string, c []uint16, ldc int, left []float32, m, from, to int, e *Epilogue, sums []float32) (work, bool) {
	s := p.set
	if s.number != BFloat16 {
		panic("kernel." + function + ": the set is of " + s.number.String())
	}
	needLength(function, "c", len(c), m, p.n, ldc)
	need(function, "scratch", sums, 1, s.ShortScratch(m), len(sums))
	if m == 0 || from == to {
		return work{}, false
	}
	w := work{p: *p, left: s.leftSide(left, m), m: m, e: *e, last: s.LeftTiles(m), short: shortResult{c, ldc, sums}}
	if p.k > 0 {
		return w, true
	}
	for j := from; j < to; j++ {
		clear(sums[:m*s.width])
		w.endShort(sums, 0, m, j*s.width, p.columns(j))
	}
	return w, false
}

// shortTile makes k steps of a tile, and its result after the last.
func (w *work) shortTile(row, rows, column, columns int, a, b []float32, k, ahead, pace int) {
	sums := w.short.sums
	if w.p.steps > blockK {
		sums = sums[row*w.p.set.width:]
	}
	w.tile(row, rows, sums, w.p.set.width, a, b, nil, k, ahead, pace)
	if w.k0+k == w.p.steps {
		w.endShort(sums, row, rows, column, columns)
	}
}

// endShort makes the result of sums.
func (w *work) endShort(sums []float32, row, rows, column, columns int) {
	s := w.p.set
	w.e.apply(s, sums, s.width, row, column, rows, columns)
	s.shortenRows(w.short.c[row*w.short.ldc+column:], w.short.ldc, sums, s.width, rows, columns)
}
