package kernel

import "fmt"

// Packed is the right side of a product, [k, n], packed into panels for one set: each panel holds some columns, all k
// rows of them one after another, so that the product reads memory from front to back. The last panel is filled
// up with zeros. It is read-only once made, and may be used by any number of goroutines.
type Packed struct {
	set  *Set
	k, n int
	data []float32
}

// A Layout says how the right side of a product lies in memory.
type Layout int

const (
	InputsOutputs Layout = iota // [k, n]
	OutputsInputs               // [n, k], as PyTorch stores the weight of a linear map
)

// PackB packs the right side of a product. Rows of b are ldb apart: k rows of n values, or n rows of k if layout is
// [OutputsInputs]. It keeps no reference to b.
func (s *Set) PackB(b []float32, ldb, k, n int, layout Layout) *Packed {
	p := &Packed{set: s, k: k, n: n}
	p.data = aligned(p.Panels() * k * s.width)
	p.pack(b, ldb, layout)
	return p
}

func (p *Packed) pack(b []float32, ldb int, layout Layout) {
	s, k, width := p.set, p.k, p.set.width
	if layout == OutputsInputs {
		need("PackB", "b", b, p.n, k, ldb)
	} else {
		need("PackB", "b", b, k, p.n, ldb)
	}
	if k == 0 {
		return
	}
	for j := range p.Panels() {
		panel := p.data[j*k*width:][:k*width]
		columns := min(width, p.n-j*width)
		if layout == OutputsInputs {
			s.interleaveRows(panel, width, b[j*width*ldb:], ldb, columns, k)
		} else {
			for r := range k {
				copy(panel[r*width:][:columns], b[r*ldb+j*width:])
			}
		}
		if columns < width {
			for r := range k {
				clear(panel[r*width+columns : (r+1)*width])
			}
		}
	}
}

// Panels is how many panels there are: the unit in which callers split a product.
func (p *Packed) Panels() int { return (p.n + p.set.width - 1) / p.set.width }

// Width is the number of columns in a panel.
func (p *Packed) Width() int { return p.set.width }

// K is the length of the sums.
func (p *Packed) K() int { return p.k }

// N is the number of columns.
func (p *Packed) N() int { return p.n }

// Bytes is the memory that the panels take.
func (p *Packed) Bytes() int { return 4 * len(p.data) }

// LeftTiles is the number of tiles that m rows of the left side of a product fall into.
func (s *Set) LeftTiles(m int) int { return (m + s.rows - 1) / s.rows }

// leftTile is where tile i of m rows begins, with the rows spread evenly, the longer tiles first.
func (s *Set) leftTile(m, i int) (row int) {
	tiles := s.LeftTiles(m)
	return i*(m/tiles) + min(i, m%tiles)
}

// PackLeft packs the left side of a product, a of [m, k] with rows lda apart, into dst, of m·k values: tile after tile,
// and within a tile column after column. It packs tiles from ≤ i < to of [Set.LeftTiles], so that callers can
// split the work. The result serves every [Packed] of this set with this k.
func (s *Set) PackLeft(dst, a []float32, lda, m, k, from, to int) {
	need("PackLeft", "a", a, m, k, lda)
	need("PackLeft", "dst", dst, m, k, k)
	span("PackLeft", from, to, s.LeftTiles(m))
	if k == 0 {
		return
	}
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		s.interleaveRows(dst[row*k:end*k], end-row, a[row*lda:], lda, end-row, k)
	}
}

// interleaveRows is dst[p*stride+r] = x[r*ldx+p] for r < rows, p < k.
func (s *Set) interleaveRows(dst []float32, stride int, x []float32, ldx, rows, k int) {
	switch {
	case rows == 1 && stride == 1:
		copy(dst, x[:k])
	case rows < 4:
		for r := range rows {
			for p, v := range x[r*ldx:][:k] {
				dst[p*stride+r] = v
			}
		}
	default:
		// A few rows of dst at a time, so that they are still in the first cache when their other columns come.
		const chunk = 128
		for p := 0; p < k; p += chunk {
			n := min(chunk, k-p)
			for r := 0; r < rows; r += 4 {
				r = min(r, rows-4) // the last four may overlap the ones before
				s.interleave(dst[p*stride+r:], stride, x[r*ldx+p:], ldx, n)
			}
		}
	}
}

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
	part := max(1, partLeft/(min(blockK, p.k)*s.rows))
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

// tiles multiplies. While the tiles compute with one block of weights, together they prefetch the next, so that memory
// is never idle.
func (w *work) tiles() {
	p, s := &w.p, w.p.set
	width := s.width
	k := min(blockK, p.k-w.k0)
	b := p.data[(w.panel*p.k+w.k0)*width:][:k*width]
	column := w.panel * width
	columns := min(width, p.n-column)
	tiles := w.last - w.first
	for i := w.first; i < w.last; i++ {
		row, end := s.leftTile(w.m, i), s.leftTile(w.m, i+1)
		rows := end - row
		ahead := 4 * width * (w.next + k*(i-w.first)/tiles)
		if tiles == 1 {
			ahead = selfAhead
		}
		pace := 4 * 4 * width / tiles
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

// need panics unless x holds rows rows of length columns, ld apart.
func need(function, what string, x []float32, rows, columns, ld int) {
	if rows < 0 || columns < 0 || ld < columns || rows > 0 && columns > 0 && len(x) < (rows-1)*ld+columns {
		panic(fmt.Sprintf("kernel.%s: %s has %d values, want %d rows of %d, %d apart", function, what, len(x), rows, columns, ld))
	}
}

// span panics unless 0 ≤ from ≤ to ≤ n.
func span(function string, from, to, n int) {
	if from < 0 || from > to || to > n {
		panic(fmt.Sprintf("kernel.%s: part %d to %d of %d", function, from, to, n))
	}
}
