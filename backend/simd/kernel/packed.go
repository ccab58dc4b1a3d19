package kernel

import "fmt"

// Packed is the right side of a product, [k, n], packed into panels for one set: each panel holds some columns, all k
// rows of them one after another, so that the product reads memory from front to back. Rows of narrow numbers lie side by side in each
// column, as many as a word of 32 bits holds. The last panel is filled up with zeros, and so is the last word of a column. It is
// read-only once made, and may be used by any number of goroutines.
type Packed struct {
	set    *Set
	k, n   int
	steps  int       // words of a column
	data   []float32 // panels
	scales []float32 // of int8: a step of each column, 0 beyond the last
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

// PackedLen is how many values of 32 bits the panels of a right side take.
func (s *Set) PackedLen(k, n int) int {
	padded := s.Panels(n) * s.width
	if s.number == Int8 {
		return padded * (s.words(k) + 1)
	}
	return padded * s.words(k)
}

// NewPacked is a right side that is yet to be packed, in a buffer of at least [Set.PackedLen] values, which it keeps. If buffer
// is nil it makes one: on a cache line, and on large pages where there are any, which is best for weights.
func (s *Set) NewPacked(buffer []float32, k, n int) *Packed {
	length := s.PackedLen(k, n)
	if buffer == nil {
		buffer = Aligned(length)
	}
	need("NewPacked", "buffer", buffer, 1, length, length)
	p := s.newPacked(buffer, k, n)
	return &p
}

// newPacked is NewPacked that allocates nothing.
func (s *Set) newPacked(buffer []float32, k, n int) Packed {
	p := Packed{set: s, k: k, n: n, steps: s.words(k)}
	size := s.Panels(n) * s.width * p.steps
	p.data = buffer[:size]
	if s.number == Int8 {
		s.checkTerms("NewPacked", k)
		p.scales = buffer[size:s.PackedLen(k, n)]
	}
	return p
}

// checkTerms panics if sums of int8 products are too long for an int32.
func (s *Set) checkTerms(function string, k int) {
	if s.number == Int8 && k > maxInt8K {
		panic(fmt.Sprintf("kernel.%s: sums of %d int8 products, want at most %d", function, k, maxInt8K))
	}
}

// Pack packs b, as [Set.PackB] does, into panels from ≤ j < to, so that callers can split the work.
func (p *Packed) Pack(b []float32, ldb int, layout Layout, from, to int) {
	p.check("Pack", b, ldb, layout, from, to)
	for j := from; j < to; j++ {
		scales := p.panelScales(j)
		if scales != nil {
			p.findScales(scales, b, ldb, layout, j)
		}
		if p.k > 0 {
			p.packBlock(p.panel(j), scales, b, ldb, layout, j, 0, p.steps)
		}
	}
}

// check panics unless b is this right side and has these panels.
func (p *Packed) check(function string, b []float32, ldb int, layout Layout, from, to int) {
	p.checkLayout(function, len(b), ldb, layout, from, to)
}

// panel is panel j.
func (p *Packed) panel(j int) []float32 {
	size := p.steps * p.set.width
	return p.data[j*size:][:size]
}

// checkLayout panics unless so many values hold this right side, and it has these panels.
func (p *Packed) checkLayout(function string, length, ldb int, layout Layout, from, to int) {
	rows, columns := p.k, p.n
	if layout != InputsOutputs {
		rows, columns = p.n, p.k
	}
	needLength(function, "b", length, rows, columns, ldb)
	span(function, from, to, p.Panels())
	if layout > OutputsInputs && p.k%int(layout) != 0 {
		panic("kernel." + function + ": the window's cells do not divide k")
	}
}

// panelScales are the scales of panel j, nil but of int8.
func (p *Packed) panelScales(j int) []float32 {
	if p.set.number != Int8 {
		return nil
	}
	return p.scales[j*p.set.width:][:p.set.width]
}

// packBlock packs steps words of each column of panel j, from word first on, into dst; int8 with the panel's scales.
func (p *Packed) packBlock(dst, scales, b []float32, ldb int, layout Layout, j, first, steps int) {
	switch p.set.number {
	case BFloat16:
		p.packBF16(dst, b, ldb, layout, j, first, steps)
	case Int8:
		p.packInt8(dst, b, ldb, layout, j, first, steps, scales)
	default:
		p.packFloat32(dst, b, ldb, layout, j, first, steps)
	}
}

func (p *Packed) packFloat32(dst, b []float32, ldb int, layout Layout, j, k0, k int) {
	s, width := p.set, p.set.width
	columns := p.columns(j)
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

// Unpack is the inverse of [Packed.Pack]: it writes panels from ≤ j < to back into b, as float32 numbers whatever type they are of.
func (p *Packed) Unpack(b []float32, ldb int, layout Layout, from, to int) {
	p.check("Unpack", b, ldb, layout, from, to)
	width := p.set.width
	for j := from; j < to; j++ {
		panel := p.panel(j)
		columns := p.columns(j)
		for r := range p.k {
			if layout == InputsOutputs && p.set.number == Float32 {
				copy(b[r*ldb+j*width:], panel[r*width:][:columns])
				continue
			}
			for c := range columns {
				v := p.number(panel, j, r, c)
				if layout == InputsOutputs {
					b[r*ldb+j*width+c] = v
				} else {
					b[(j*width+c)*ldb+layout.row(r, p.k)] = v
				}
			}
		}
	}
}

// number is what row r, column c of panel j holds.
func (p *Packed) number(panel []float32, j, r, c int) float32 {
	switch s := p.set; s.number {
	case BFloat16:
		return bf16At(wordsOf(panel)[r/2*s.width+c], r)
	case Int8:
		return float32(weightAt(wordsOf(panel)[r/4*s.width+c], r)) * p.scales[j*s.width+c]
	default:
		return panel[r*s.width+c]
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

// at is where number r of column c lies, with rows ldb apart.
func (l Layout) at(r, c, k, ldb int) int {
	if l == InputsOutputs {
		return r*ldb + c
	}
	return c*ldb + l.row(r, k)
}

// columns is how many columns of panel j are the right side's.
func (p *Packed) columns(j int) int { return min(p.set.width, p.n-j*p.set.width) }

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

// Number is the type of number that is packed.
func (p *Packed) Number() Number { return p.set.number }

// Bytes is the memory that the panels take.
func (p *Packed) Bytes() int { return 4 * (len(p.data) + len(p.scales)) }
