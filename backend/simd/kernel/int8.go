package kernel

import "math"

// int8Packing is how float32 numbers become int8 ones, four to a word, the first in the lowest byte. Weights lie in panels as
// 128 more than they are, for the instruction multiplies unsigned numbers with signed ones: each sum starts with -128 times
// the sum of its row of the left side.
type int8Packing struct {
	// magnitude is the largest bits of |x|, as an integer, so that infinities and NaNs count as larger than all else; x is not empty.
	magnitude func(x []float32) uint32
	// quads is dst[p*stride+r] = x[r*ldx+4p] … x[r*ldx+4p+3], each times inverse[r] and rounded, for r < 4, 4p < k; k is not 0.
	// Beyond k are zeros. It returns the sums of the rows.
	quads func(dst []float32, stride int, x []float32, ldx, k int, inverse [4]float32) (sums [4]int32)
	// left is quads for left sides: where numbers are widened, two words, of numbers 0 and 2, and 1 and 3, that lie stride apart.
	left func(dst []float32, stride int, x []float32, ldx, k int, inverse [4]float32) (sums [4]int32)
	// row makes the words of left sides of x, whose length is a multiple of 4 and not 0, times inverse and rounded. It returns their sum.
	row func(dst, x []float32, inverse float32) (sum int32)
}

// dequantising is how a tile of int8 products starts and ends.
type dequantising struct {
	starts  []int32   // of each row's sums; what c holds comes on top
	rows    []float32 // each row's step, or nil if the sums are to stay int32, for more is to come
	columns []float32 // each column's step
}

// noStarts are those of a tile's rows where sums go on.
var noStarts [weaveRows]int32

// offset is what panels hold beyond each weight, in all four.
const offset = 0x80808080

// weightAt is weight number i of a word.
func weightAt(word uint32, i int) int8 { return int8((word ^ offset) >> (i & 3 * 8)) }

// smallest is the largest magnitude of a row or column from which on it is not taken for zeros.
const smallest = 0x1p-100

// stepOf is the step of the scale of numbers whose largest magnitude has those bits.
func stepOf(magnitude uint32) float32 {
	const infinity = 0x7f800000
	switch x := math.Float32frombits(magnitude); {
	case magnitude >= infinity:
		return float32(math.NaN())
	case x < smallest:
		return 0
	default:
		return x / 127
	}
}

// inverseOf is what numbers are multiplied with to become integers.
func inverseOf(step float32) float32 {
	if step > 0 {
		return 1 / step
	}
	return 0
}

// quantise is the integer of a number, of -127 to 127. Where the step is NaN it has no meaning.
func quantise(x, inverse float32) int8 {
	const ones = 0x1.8p23 // a float32 of this size has no fraction, so that adding it rounds
	return int8(math.Float32bits(float32(x*inverse) + ones))
}

// quantiseRows packs a tile of the left side, of as many rows as scales.
func (s *Set) quantiseRows(dst, scales []float32, starts []int32, x []float32, ldx, k int) {
	rows := len(scales)
	if k == 0 {
		clear(scales)
		clear(starts)
		return
	}
	for r := range rows {
		scales[r] = stepOf(s.int8.magnitude(x[r*ldx:][:k]))
	}
	s.quantiseBy(dst, scales, starts, x, ldx, k)
}

// quantiseBy packs k numbers of each row of a tile with these scales. starts are those of these numbers' sums.
func (s *Set) quantiseBy(dst, scales []float32, starts []int32, x []float32, ldx, k int) {
	rows := len(scales)
	var inverse [weaveRows]float32
	for r := range rows {
		inverse[r] = inverseOf(scales[r])
	}
	if rows < 4 {
		for r := range rows {
			row := x[r*ldx:][:k]
			starts[r] = s.quantiseOne(dst, rows, r, k, inverse[r], func(i int) float32 { return row[i] })
		}
		return
	}
	for r := 0; r < rows; r += 4 {
		r = min(r, rows-4) // the last four may overlap the ones before
		for i, sum := range s.int8.left(dst[r:], rows, x[r*ldx:], ldx, k, [4]float32(inverse[r:])) {
			starts[r+i] = -128 * sum
		}
	}
}

// quantiseColumns packs a tile of the left side that lies transposed.
func (s *Set) quantiseColumns(dst, scales []float32, starts []int32, x []float32, ldx, k int) {
	for r := range scales {
		var largest uint32
		for i := range k {
			largest = max(largest, math.Float32bits(x[i*ldx+r])&0x7fffffff)
		}
		scales[r] = stepOf(largest)
		starts[r] = s.quantiseOne(dst, len(scales), r, k, inverseOf(scales[r]), func(i int) float32 { return x[i*ldx+r] })
	}
}

// quantiseOne packs row r of a tile of rows, and returns what its sums start with.
func (s *Set) quantiseOne(dst []float32, rows, r, k int, inverse float32, at func(i int) float32) (start int32) {
	words := wordsOf(dst)
	for p := range s.words(k) {
		var q [4]int8
		for i := 4 * p; i < min(4*p+4, k); i++ {
			q[i-4*p] = quantise(at(i), inverse)
			start -= 128 * int32(q[i-4*p])
		}
		putQuad(words[p*s.wide*rows+r:], rows, s.wide, q)
	}
	return start
}

// putQuad writes the words of four numbers of a left side, stride apart.
func putQuad(words []uint32, stride, wide int, q [4]int8) {
	if wide == 1 {
		words[0] = quad(q)
		return
	}
	words[0] = uint32(uint16(q[0])) | uint32(uint16(q[2]))<<16
	words[stride] = uint32(uint16(q[1])) | uint32(uint16(q[3]))<<16
}

func quad(q [4]int8) uint32 {
	return uint32(uint8(q[0])) | uint32(uint8(q[1]))<<8 | uint32(uint8(q[2]))<<16 | uint32(uint8(q[3]))<<24
}

// findScales finds the scales of panel j, 0 beyond its last column.
func (p *Packed) findScales(scales, b []float32, ldb int, layout Layout, j int) {
	s := p.set
	columns := p.columns(j)
	clear(scales[columns:])
	column := j * s.width
	var largest [32]uint32
	switch {
	case p.k == 0:
	case layout == InputsOutputs:
		for r := range p.k {
			for c, v := range b[r*ldb+column:][:columns] {
				largest[c] = max(largest[c], math.Float32bits(v)&0x7fffffff)
			}
		}
	default:
		for c := range columns {
			largest[c] = s.int8.magnitude(b[(column+c)*ldb:][:p.k])
		}
	}
	for c := range columns {
		scales[c] = stepOf(largest[c])
	}
}

// packInt8 is packBlock of int8.
func (p *Packed) packInt8(dst, b []float32, ldb int, layout Layout, j, first, steps int, scales []float32) {
	s, width := p.set, p.set.width
	dst = dst[:steps*width]
	columns := p.columns(j)
	k0 := 4 * first
	k := min(4*steps, p.k-k0)
	var inverse [32]float32
	for c := range columns {
		inverse[c] = inverseOf(scales[c])
	}
	words := wordsOf(dst)
	switch {
	case layout == OutputsInputs && columns >= 4:
		for c := 0; c < columns; c += 4 {
			c = min(c, columns-4)
			s.int8.quads(dst[c:], width, b[(j*width+c)*ldb+k0:], ldb, k, [4]float32(inverse[c:]))
		}
	case layout == InputsOutputs:
		clear(words)
		for r := range k {
			row, to, shift := b[(k0+r)*ldb+j*width:][:columns], words[r/4*width:][:columns], r%4*8
			for c, v := range row {
				to[c] |= uint32(uint8(quantise(v, inverse[c&31]))) << shift
			}
		}
	default:
		for r := 0; r < k; r += 4 {
			for c := range columns {
				var q [4]int8
				for i := r; i < min(r+4, k); i++ {
					q[i-r] = quantise(b[layout.at(k0+i, j*width+c, p.k, ldb)], inverse[c])
				}
				words[r/4*width+c] = quad(q)
			}
		}
	}
	for i := range words {
		words[i] ^= offset
	}
	p.fillUp(dst, columns, offset)
}

// PackInt8 is [Packed.Pack] of numbers that are int8 already, for a set of that type, with the step of each column: b holds them, rows
// ldb numbers apart, scales are of [n].
func (p *Packed) PackInt8(b []int8, scales []float32, ldb int, layout Layout, from, to int) {
	if p.set.number != Int8 {
		panic("kernel.PackInt8: the right side is of " + p.set.number.String())
	}
	p.checkLayout("PackInt8", len(b), ldb, layout, from, to)
	need("PackInt8", "scales", scales, 1, p.n, p.n)
	width := p.set.width
	view, whole := wordView(b, p.k, ldb)
	for j := from; j < to; j++ {
		columns := p.columns(j)
		copy(p.panelScales(j), scales[j*width:][:columns])
		clear(p.panelScales(j)[columns:])
		words := wordsOf(p.panel(j))
		if layout == OutputsInputs && whole && p.k > 0 {
			p.set.interleaveRows(p.panel(j), width, view[j*width*ldb/4:], ldb/4, columns, p.steps)
			for i := range words {
				words[i] ^= offset
			}
			p.fillUp(p.panel(j), columns, offset)
			continue
		}
		if layout == InputsOutputs {
			clear(words)
			for r := range p.k {
				to, shift := words[r/4*width:][:columns], r%4*8
				for c, v := range b[r*ldb+j*width:][:columns] {
					to[c] |= uint32(uint8(v)) << shift
				}
			}
			for i := range words {
				words[i] ^= offset
			}
			p.fillUp(p.panel(j), columns, offset)
			continue
		}
		for i := range p.steps {
			for c := range columns {
				var q [4]int8
				for r := 4 * i; r < min(4*i+4, p.k); r++ {
					q[r-4*i] = b[layout.at(r, j*width+c, p.k, ldb)]
				}
				words[i*width+c] = quad(q) ^ offset
			}
		}
		p.fillUp(p.panel(j), columns, offset)
	}
}

// UnpackInt8 is the inverse of [Packed.PackInt8], also after [Packed.Pack]: it writes panels from ≤ j < to back into b, and their scales.
func (p *Packed) UnpackInt8(b []int8, scales []float32, ldb int, layout Layout, from, to int) {
	if p.set.number != Int8 {
		panic("kernel.UnpackInt8: the right side is of " + p.set.number.String())
	}
	p.checkLayout("UnpackInt8", len(b), ldb, layout, from, to)
	need("UnpackInt8", "scales", scales, 1, p.n, p.n)
	width := p.set.width
	for j := from; j < to; j++ {
		columns := p.columns(j)
		copy(scales[j*width:], p.panelScales(j)[:columns])
		words := wordsOf(p.panel(j))
		for r := range p.k {
			for c := range columns {
				b[layout.at(r, j*width+c, p.k, ldb)] = weightAt(words[r/4*width+c], r)
			}
		}
	}
}
