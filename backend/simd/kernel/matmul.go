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
// with rows ldc apart. left is what [Set.PackLeft] made of the left side, [m, k], with the set of this type of number. No row's result depends on the
// other rows, nor on how panels are split: each sum is one chain of multiply-adds for each 768 steps of k (1536 numbers of
// bfloat16, 3072 of int8), and those are added in order.
func (p *Packed) Mul(c []float32, ldc int, left []float32, m, from, to int, e Epilogue, scratch *Scratch) {
	s := p.set
	need("Mul", "c", c, m, p.n, ldc)
	p.checkMul("Mul", left, m, from, to, &e)
	if m == 0 || from == to {
		return
	}
	if p.k == 0 {
		p.mulNothing(c, ldc, m, from, to, &e)
		return
	}
	w := work{p: *p, c: c, ldc: ldc, left: s.leftSide(left, m), m: m, e: e, scratch: scratch}
	tiles := s.LeftTiles(m)
	if m*s.leftWords(p.k) <= wholeLeft {
		w.last = tiles
		for w.panel = from; w.panel < to; w.panel++ {
			for w.k0 = 0; w.k0 < p.steps; w.k0 += blockK {
				w.next = min(blockK, p.steps-w.k0)
				w.tiles()
			}
		}
		return
	}
	part := s.partTiles(s.leftWords(p.k))
	w.next = p.steps
	for w.first = 0; w.first < tiles; w.first = w.last {
		w.last = min(w.first+part, tiles)
		for w.k0 = 0; w.k0 < p.steps; w.k0 += blockK {
			for w.panel = from; w.panel < to; w.panel++ {
				w.tiles()
			}
		}
	}
}

// checkMul panics unless the arguments of a product fit.
func (p *Packed) checkMul(function string, left []float32, m, from, to int, e *Epilogue) {
	need(function, "left", left, 1, p.set.LeftLen(m, p.k), len(left))
	span(function, from, to, p.Panels())
	e.check(m, p.n)
}

// partTiles is how many tiles of a left side too large for the second cache, with so many words in a row, are gone over before the next.
func (s *Set) partTiles(words int) int {
	return max(1, partLeft/(max(1, min(blockK*s.wide, words))*s.rows))
}

// GroupRows is how many rows of a long left side to pack and multiply at a time, so that they are still in a cache when the
// product reads them: of 1152 rows by 3072, that gains about 4 %, and the buffer need hold no more. A caller who multiplies
// the rows of one group while others pack the next needs two buffers and one barrier a group.
func (s *Set) GroupRows(k int) int { return 2 * s.partTiles(s.leftWords(k)) * s.rows }

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
	left    leftSide
	m       int
	e       Epilogue
	scratch *Scratch
	short   shortResult // of a product whose result is bfloat16; then c is nil

	first, last int // tiles first ≤ i < last
	k0          int // the step where the block begins
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
	k := min(blockK, p.steps-w.k0)
	w.block(p.data[(w.panel*p.steps+w.k0)*width:][:k*width], p.panelScales(w.panel), k, true)
}

// block multiplies with k steps of a panel, of those scales. They lie in the right side's panels, and the tiles may prefetch, if packed;
// else beside it.
func (w *work) block(b, scales []float32, k int, packed bool) {
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
		a := w.left.words[(row*p.steps+w.k0*rows)*s.wide:][:k*rows*s.wide]
		if w.short.c != nil {
			w.shortTile(row, rows, column, columns, a, b, k, ahead, pace)
			continue
		}
		c := w.c[row*w.ldc+column:]
		if columns == width {
			w.tile(row, rows, c, w.ldc, a, b, scales, k, ahead, pace)
		} else {
			w.edge(c, row, rows, columns, a, b, scales, k)
		}
		if w.k0+k == p.steps {
			w.e.apply(s, c, w.ldc, row, column, rows, columns)
		}
	}
}

// tile makes k steps of one tile, of those rows from row on. Sums of int8 products become float32 after the last step.
func (w *work) tile(row, rows int, c []float32, ldc int, a, b, scales []float32, k, ahead, pace int) {
	s, more := w.p.set, w.k0 > 0
	if s.number != Int8 {
		s.tile(rows, c, ldc, a, b, k, ahead, pace, more)
		return
	}
	d := dequantising{starts: noStarts[:rows]}
	if !more {
		d.starts = w.left.starts[row:][:rows]
	}
	if w.k0+k == w.p.steps {
		d.rows, d.columns = w.left.scales[row:][:rows], scales
	}
	s.int8Tile(rows, c, ldc, a, b, k, ahead, pace, more, d)
}

// edge is a tile of the last panel where c has fewer columns than the panel: it is made beside c.
func (w *work) edge(c []float32, row, rows, columns int, a, b, scales []float32, k int) {
	s := w.p.set
	beside := w.scratch[:rows*s.width]
	if w.k0 > 0 {
		for r := range rows {
			copy(beside[r*s.width:][:columns], c[r*w.ldc:])
		}
	}
	w.tile(row, rows, beside, s.width, a, b, scales, k, 0, 0)
	for r := range rows {
		copy(c[r*w.ldc:][:columns], beside[r*s.width:])
	}
}
