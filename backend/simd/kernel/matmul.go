package kernel

import ("fmt";"os";"strconv")

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
		for r := 0; r < rows; r += 4 {
			r = min(r, rows-4) // the last four may overlap the ones before
			s.interleave(dst[r:], stride, x[r*ldx:], ldx, k)
		}
	}
}

// Scratch is what [Packed.Mul] needs for itself: one for each goroutine, contents without meaning.
type Scratch [14 * 32]float32

// Panels are taken in blocks of k, of a size that leaves a block of a panel in the first cache beside a tile of the left
// side, and rows in blocks whose left side stays in the second.
var (
	blockK    = env("BK", 384)
	blockLeft = env("BL", 96) << 10 // values
	aheadFirst = env("AH", 4096)
	aheadRest = env("AR", 4096)
)
func env(n string, d int) int { v, err := strconv.Atoi(os.Getenv(n)); if err != nil { return d }; return v }


// Mul is c = epilogue(left · p) for panels from ≤ j < to, that is for columns from·Width up to to·Width of c, of [m, n]
// with rows ldc apart. left is what [Set.PackLeft] made of the left side, [m, k]. Each sum is one chain of multiply-adds in
// order of k: no row's result depends on the other rows, nor on how panels are split.
func (p *Packed) Mul(c []float32, ldc int, left []float32, m, from, to int, e Epilogue, scratch *Scratch) {
	s := p.set
	need("Mul", "c", c, m, p.n, ldc)
	need("Mul", "left", left, m, p.k, p.k)
	span("Mul", from, to, p.Panels())
	e.check(m, p.n)
	if m == 0 || from == to {
		return
	}
	tiles := s.LeftTiles(m)
	if m*p.k <= blockLeft {
		for j := from; j < to; j++ {
			for k0 := 0; k0 == 0 || k0 < p.k; k0 += blockK {
				p.mulPanel(c, ldc, left, m, 0, tiles, k0, j, e, scratch)
			}
		}
		return
	}
	group := max(1, blockLeft/(min(blockK, p.k)*s.rows+1))
	for first := 0; first < tiles; first += group {
		last := min(first+group, tiles)
		for k0 := 0; k0 == 0 || k0 < p.k; k0 += blockK {
			for j := from; j < to; j++ {
				p.mulPanel(c, ldc, left, m, first, last, k0, j, e, scratch)
			}
		}
	}
}

// mulPanel is Mul for one block of k of panel j, and tiles first ≤ i < last of the left side.
func (p *Packed) mulPanel(c []float32, ldc int, left []float32, m, first, last, k0, j int, e Epilogue, scratch *Scratch) {
	s := p.set
	k := min(blockK, p.k-k0)
	width := s.width
	b := p.data[(j*p.k+k0)*width:][:k*width]
	columns := min(width, p.n-j*width)
	for i := first; i < last; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		rows := end - row
		a := left[row*p.k+k0*rows:][:k*rows]
		out, ldo := c[row*ldc+j*width:], ldc
		if columns < width {
			p.edge(out, ldc, rows, columns, k0, a, b, k, scratch)
		} else {
			ahead := aheadFirst
			if i > first { ahead = aheadRest }
			s.tile(rows, out, ldo, a, b, k, ahead, k0 > 0)
		}
	}
}

// edge is a tile of the last panel, which has fewer columns than a tile: it is made beside c.
func (p *Packed) edge(c []float32, ldc, rows, columns, k0 int, a, b []float32, k int, scratch *Scratch) {
	width := p.set.width
	tile := scratch[:rows*width]
	if k0 > 0 {
		for r := range rows {
			copy(tile[r*width:][:columns], c[r*ldc:])
		}
	}
	p.set.tile(rows, tile, width, a, b, k, 0, k0 > 0)
	for r := range rows {
		copy(c[r*ldc:][:columns], tile[r*width:])
	}
}

// need panics unless x holds rows rows of length columns, ld apart.
func need(function, what string, x []float32, rows, columns, ld int) {
	if rows < 0 || columns < 0 || ld < columns || rows > 0 && len(x) < (rows-1)*ld+columns {
		panic(fmt.Sprintf("kernel.%s: %s has %d values, want %d rows of %d, %d apart", function, what, len(x), rows, columns, ld))
	}
}

// span panics unless 0 ≤ from ≤ to ≤ n.
func span(function string, from, to, n int) {
	if from < 0 || from > to || to > n {
		panic(fmt.Sprintf("kernel.%s: part %d to %d of %d", function, from, to, n))
	}
}
