package kernel

// Scratch is what [Packed.Mul] needs for itself: one for each goroutine, contents without meaning.
type Scratch [14 * 32]float32

// How a product is cut, in values. With a longer block of k than the first cache holds, the sums are seldom interrupted, and
// the hardware fetches such a panel from the second cache in time. A left side that fits the second cache is gone over
// whole for each panel, so that weights are read once, front to back; a larger one is cut into parts that leave
// that cache room for panels.
const (
	blockK    = 768
	wholeLeft = 256 << 10
	partLeft  = 96 << 10
)

// Mul is c = epilogue(left · p) for panels from ≤ j < to, that is for columns from·Width up to to·Width of c, of [m, n]
// with rows ldc apart. left is what [Set.PackLeft] made of the left side, [m, k]. No row's result depends on the
// other rows, nor on how panels are split: each sum is one chain of multiply-adds for each 768 steps of k, and those
// are added in order.
func (p *Packed) Mul(c []float32, ldc int, left []float32, m, from, to int, e Epilogue, scratch *Scratch) {
	s := p.set
	need("Mul", "c", c, m, p.n, ldc)
	need("Mul", "left", left, m, p.k, p.k)
	span("Mul", from, to, p.Panels())
	e.check(m, p.n)
	if m == 0 || from == to {
		return
	}
	if p.k == 0 {
		p.mulNothing(c, ldc, m, from, to, &e)
		return
	}
	w := work{p: *p, c: c, ldc: ldc, left: left, m: m, e: e, scratch: scratch}
	tiles := s.LeftTiles(m)
	if m*p.k <= wholeLeft {
		w.last = tiles
		for w.panel = from; w.panel < to; w.panel++ {
			for w.k0 = 0; w.k0 < p.k; w.k0 += blockK {
				w.next = min(blockK, p.k-w.k0)
				w.tiles()
			}
		}
		return
	}
	part := s.partTiles(p.k)
	w.next = p.k
	for w.first = 0; w.first < tiles; w.first = w.last {
		w.last = min(w.first+part, tiles)
		for w.k0 = 0; w.k0 < p.k; w.k0 += blockK {
			for w.panel = from; w.panel < to; w.panel++ {
				w.tiles()
			}
		}
	}
}

// partTiles is how many tiles of a left side too large for the second cache are gone over before the next.
func (s *Set) partTiles(k int) int { return max(1, partLeft/(max(1, min(blockK, k))*s.rows)) }

// GroupRows is how many rows of a long left side to pack and multiply at a time, so that they are still in a cache when the
// product reads them: of 1152 rows by 3072, that gains about 4 %, and the buffer need hold no more. A caller who multiplies
// the rows of one group while others pack the next needs two buffers and one barrier a group.
func (s *Set) GroupRows(k int) int { return 2 * s.partTiles(k) * s.rows }

// mulNothing is Mul where sums have no terms.
func (p *Packed) mulNothing(c []float32, ldc, m, from, to int, e *Epilogue) {
	column := from * p.set.width
	columns := min(to*p.set.width, p.n) - column
	for r := range m {
		clear(c[r*ldc+column:][:columns])
	}
	e.apply(p.set, c[column:], ldc, 0, column, m, columns)
}

// work is a part of a product: some tiles of the left side with a block of k of one panel.
type work struct {
	p       Packed
	c       []float32
	ldc     int
	left    []float32
	m       int
	e       Epilogue
	scratch *Scratch

	first, last int // tiles first ≤ i < last
	k0          int // where the block of k begins
	panel       int
	next        int // how many rows of weights ahead the block lies that is wanted next
}

// selfAhead is how far ahead in its own block a lone tile prefetches, in bytes: what comes from memory in the time of one
// access, several times over.
const selfAhead = 16 << 10

// tiles multiplies with a block of the packed right side. While the tiles compute with it, together they prefetch the next, so that memory
// is never idle.
func (w *work) tiles() {
	p, width := &w.p, w.p.set.width
	k := min(blockK, p.k-w.k0)
	w.block(p.data[(w.panel*p.k+w.k0)*width:][:k*width], k, true)
}

// block multiplies with k rows of a panel. They lie in the right side's panels, and the tiles may prefetch, if packed; else beside it.
func (w *work) block(b []float32, k int, packed bool) {
	p, s := &w.p, w.p.set
	width := s.width
	column := w.panel * width
	columns := min(width, p.n-column)
	tiles := w.last - w.first
	for i := w.first; i < w.last; i++ {
		row, end := s.leftTile(w.m, i), s.leftTile(w.m, i+1)
		rows := end - row
		ahead, pace := 0, 0
		switch {
		case packed && tiles > 1:
			ahead, pace = 4*width*(w.next+k*(i-w.first)/tiles), 4*4*width/tiles
		case packed:
			ahead, pace = selfAhead, 4*4*width
		}
		a := w.left[row*p.k+w.k0*rows:][:k*rows]
		c := w.c[row*w.ldc+column:]
		if columns == width {
			s.tile(rows, c, w.ldc, a, b, k, ahead, pace, w.k0 > 0)
		} else {
			w.edge(c, rows, columns, a, b, k)
		}
		if w.k0+k == p.k {
			w.e.apply(s, c, w.ldc, row, column, rows, columns)
		}
	}
}

// edge is a tile of the last panel where c has fewer columns than the panel: it is made beside c.
func (w *work) edge(c []float32, rows, columns int, a, b []float32, k int) {
	s := w.p.set
	beside := w.scratch[:rows*s.width]
	if w.k0 > 0 {
		for r := range rows {
			copy(beside[r*s.width:][:columns], c[r*w.ldc:])
		}
	}
	s.tile(rows, beside, s.width, a, b, k, 0, 0, w.k0 > 0)
	for r := range rows {
		copy(c[r*w.ldc:][:columns], beside[r*s.width:])
	}
}
