package kernel

// Packed is the right side of a product, [k, n], packed into panels for one set: each panel holds some columns, all k
// rows of them one after another, so that the product reads memory from front to back. The last panel is filled
// up with zeros. It is read-only once made, and may be used by any number of goroutines. (A narrower type of weight wants
// groups of rows side by side in each column, and panels of the same width: the walk over tiles stays as it is.)
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

// OutputsInputsOver is the layout [n, k/cells, cells], as PyTorch stores the weight of a convolution whose window has so many cells.
// It is packed with the cells outermost, as if it were [cells, k/cells, n].
func OutputsInputsOver(cells int) Layout {
	if cells <= 1 {
		return OutputsInputs
	}
	return Layout(cells)
}

// PackB packs the right side of a product. Rows of b are ldb apart: k rows of n values, or n rows of k if layout is not
// [InputsOutputs]. It keeps no reference to b.
func (s *Set) PackB(b []float32, ldb, k, n int, layout Layout) *Packed {
	p := s.NewPacked(nil, k, n)
	p.Pack(b, ldb, layout, 0, p.Panels())
	return p
}

// PackedLen is how many values the panels of a right side take.
func (s *Set) PackedLen(k, n int) int { return (n + s.width - 1) / s.width * s.width * k }

// NewPacked is a right side that is yet to be packed, in a buffer of at least [Set.PackedLen] values, which it keeps. If buffer
// is nil it makes one: on a cache line, and on large pages where there are any, which is best for weights.
func (s *Set) NewPacked(buffer []float32, k, n int) *Packed {
	length := s.PackedLen(k, n)
	if buffer == nil {
		buffer = Aligned(length)
	}
	need("NewPacked", "buffer", buffer, 1, length, length)
	return &Packed{set: s, k: k, n: n, data: buffer[:length]}
}

// Pack packs b, as [Set.PackB] does, into panels from ≤ j < to, so that callers can split the work.
func (p *Packed) Pack(b []float32, ldb int, layout Layout, from, to int) {
	if layout != InputsOutputs {
		need("Pack", "b", b, p.n, p.k, ldb)
	} else {
		need("Pack", "b", b, p.k, p.n, ldb)
	}
	span("Pack", from, to, p.Panels())
	if layout > OutputsInputs && p.k%int(layout) != 0 {
		panic("kernel.Pack: the window's cells do not divide k")
	}
	if p.k == 0 {
		return
	}
	for j := from; j < to; j++ {
		p.packBlock(p.data[j*p.k*p.set.width:], b, ldb, layout, j, 0, p.k)
	}
}

// packBlock packs k rows of panel j, from row k0 on, into dst.
func (p *Packed) packBlock(dst, b []float32, ldb int, layout Layout, j, k0, k int) {
	s, width := p.set, p.set.width
	columns := min(width, p.n-j*width)
	switch layout {
	case OutputsInputs:
		s.interleaveRows(dst[:k*width], width, b[j*width*ldb+k0:], ldb, columns, k)
	case InputsOutputs:
		const ahead = 12 // rows lie too far apart for the hardware to see what comes next
		for r := range k {
			row := b[(k0+r)*ldb+j*width:]
			if r+ahead < k {
				s.prefetch(row[ahead*ldb:][:columns])
			}
			copy(dst[r*width:][:columns], row)
		}
	default:
		for c := range columns {
			column := b[(j*width+c)*ldb:][:p.k]
			for r := range k {
				dst[r*width+c] = column[layout.row(k0+r, p.k)]
			}
		}
	}
	if columns < width {
		for r := range k {
			clear(dst[r*width+columns : (r+1)*width])
		}
	}
}

// Unpack is the inverse of [Packed.Pack]: it writes panels from ≤ j < to back into b.
func (p *Packed) Unpack(b []float32, ldb int, layout Layout, from, to int) {
	if layout != InputsOutputs {
		need("Unpack", "b", b, p.n, p.k, ldb)
	} else {
		need("Unpack", "b", b, p.k, p.n, ldb)
	}
	span("Unpack", from, to, p.Panels())
	width := p.set.width
	for j := from; j < to; j++ {
		panel := p.data[j*p.k*width:][:p.k*width]
		columns := min(width, p.n-j*width)
		for r := range p.k {
			row := panel[r*width:][:columns]
			if layout == InputsOutputs {
				copy(b[r*ldb+j*width:], row)
				continue
			}
			for c, v := range row {
				b[(j*width+c)*ldb+layout.row(r, p.k)] = v
			}
		}
	}
}

// row is where number r of the k values of a column lies among them before packing.
func (l Layout) row(r, k int) int {
	if l <= OutputsInputs {
		return r
	}
	inputs := k / int(l)
	return r%inputs*int(l) + r/inputs
}

// Panels is how many panels n columns of a right side make.
func (s *Set) Panels(n int) int { return (n + s.width - 1) / s.width }

// Panels is how many panels there are: the unit in which callers split a product.
func (p *Packed) Panels() int { return p.set.Panels(p.n) }

// Width is the number of columns in a panel.
func (p *Packed) Width() int { return p.set.width }

// K is the length of the sums.
func (p *Packed) K() int { return p.k }

// N is the number of columns.
func (p *Packed) N() int { return p.n }

// Bytes is the memory that the panels take.
func (p *Packed) Bytes() int { return 4 * len(p.data) }
