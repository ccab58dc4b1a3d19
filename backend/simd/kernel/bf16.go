package kernel

import "math"

// bf16Packing is how float32 numbers become pairs of bfloat16, the even one in the lower half of a word.
type bf16Packing struct {
	// pairs is dst[p*stride+r] = the pair x[r*ldx+2p], x[r*ldx+2p+1] for r < 4, 2p < k; k is not 0. Beyond k are zeros.
	pairs func(dst []float32, stride int, x []float32, ldx, k int)
	// zip is dst[p*ldd+c] = the pair x[2p*ldx+c], x[(2p+1)*ldx+c] for p < rows, c < columns, a multiple of [shortNumbers]' lanes; neither is 0.
	zip func(dst []float32, ldd int, x []float32, ldx, rows, columns int)
	// row is dst[i] = the words of left sides that x[2i], x[2i+1] make, for slices that are not empty.
	row func(dst, x []float32)
	// round rounds x, which is not empty, to numbers of bfloat16 that stay float32.
	round func(x []float32)
}

// BF16 is x rounded as [BFloat16] says, as its 16 bits.
func BF16(x float32) uint16 {
	if bits := math.Float32bits(x); bits&0x7f800000 == 0 {
		return uint16(bits >> 16 & 0x8000)
	}
	return nearestBF16(x)
}

// nearestBF16 is BF16 that keeps what is not normal.
func nearestBF16(x float32) uint16 {
	bits := math.Float32bits(x)
	if x != x {
		return uint16(bits>>16) | 0x40 // quiet, and the first bits of what it carries
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// FromBF16 is the float32 of these 16 bits.
func FromBF16(bits uint16) float32 { return math.Float32frombits(uint32(bits) << 16) }

// bf16At is the even or odd number of a pair.
func bf16At(pair uint32, i int) float32 { return FromBF16(uint16(pair >> (i & 1 * 16))) }

func bf16Pair(even, odd float32) uint32 { return uint32(BF16(even)) | uint32(BF16(odd))<<16 }

// packRowsBF16 packs a tile of the left side.
func (s *Set) packRowsBF16(dst, a []float32, lda, rows, k int) {
	if s.wide == 1 {
		s.pairRows(dst, rows, a, lda, rows, k)
		return
	}
	s.interleaveRows(dst[:rows*k], rows, a, lda, rows, k)
	s.bf16.round(dst[:rows*k])
	clear(dst[rows*k:])
}

// packColumnsBF16 packs a tile of the left side that lies transposed.
func (s *Set) packColumnsBF16(dst, a []float32, lda, rows, k int) {
	if s.wide == 1 {
		s.zipRows(dst, rows, a, lda, rows, k)
		return
	}
	s.narrow(dst[:rows*k], a, lda, rows, k)
	s.bf16.round(dst[:rows*k])
	clear(dst[rows*k:])
}

// pairRows is dst[p*stride+r] = the pair x[r*ldx+2p], x[r*ldx+2p+1] for r < rows, 2p < k. Beyond k are zeros.
func (s *Set) pairRows(dst []float32, stride int, x []float32, ldx, rows, k int) {
	if rows < 4 {
		words := wordsOf(dst)
		for r := range rows {
			row := x[r*ldx:][:k]
			for p := range k / 2 {
				words[p*stride+r] = bf16Pair(row[2*p], row[2*p+1])
			}
			if k%2 == 1 {
				words[k/2*stride+r] = bf16Pair(row[k-1], 0)
			}
		}
		return
	}
	const chunk = 256 // numbers, as interleaveRows has them
	for p := 0; p < k; p += chunk {
		n := min(chunk, k-p)
		for r := 0; r < rows; r += 4 {
			r = min(r, rows-4) // the last four may overlap the ones before
			s.bf16.pairs(dst[p/2*stride+r:], stride, x[r*ldx+p:], ldx, n)
		}
	}
}

// zipRows is dst[p*stride+c] = the pair x[2p*ldx+c], x[(2p+1)*ldx+c] for c < columns, 2p < k. Beyond k are zeros.
func (s *Set) zipRows(dst []float32, stride int, x []float32, ldx, columns, k int) {
	whole := s.short.whole(k/2, columns)
	if whole > 0 {
		s.bf16.zip(dst, stride, x, ldx, k/2, whole)
	}
	if whole < columns && k > 1 {
		zipGeneric(dst[whole:], stride, x[whole:], ldx, k/2, columns-whole)
	}
	if k%2 == 1 {
		for c, v := range x[(k-1)*ldx:][:columns] {
			wordsOf(dst)[k/2*stride+c] = bf16Pair(v, 0)
		}
	}
}

// packBF16 is packBlock of bfloat16.
func (p *Packed) packBF16(dst, b []float32, ldb int, layout Layout, j, first, steps int) {
	s, width := p.set, p.set.width
	columns := p.columns(j)
	k0 := 2 * first
	k := min(2*steps, p.k-k0)
	switch layout {
	case OutputsInputs:
		s.pairRows(dst[:steps*width], width, b[j*width*ldb+k0:], ldb, columns, k)
	case InputsOutputs:
		s.zipRows(dst[:steps*width], width, b[k0*ldb+j*width:], ldb, columns, k)
	default:
		words := wordsOf(dst)
		for c := range columns {
			column := b[(j*width+c)*ldb:][:p.k]
			for r := 0; r < k; r += 2 {
				even, odd := column[layout.row(k0+r, p.k)], float32(0)
				if r+1 < k {
					odd = column[layout.row(k0+r+1, p.k)]
				}
				words[r/2*width+c] = bf16Pair(even, odd)
			}
		}
	}
	p.fillUp(dst[:steps*width], columns, 0)
}

// fillUp writes a word into the columns of a panel that the right side lacks.
func (p *Packed) fillUp(panel []float32, columns int, word uint32) {
	width := p.set.width
	if columns == width {
		return
	}
	words := wordsOf(panel)
	for at := 0; at < len(words); at += width {
		for c := columns; c < width; c++ {
			words[at+c] = word
		}
	}
}

// PackBF16 is [Packed.Pack] of numbers that are bfloat16 already, for a set of that type: b holds their 16 bits, rows ldb numbers
// apart. The smallest, which are not normal, become 0.
func (p *Packed) PackBF16(b []uint16, ldb int, layout Layout, from, to int) {
	if p.set.number != BFloat16 {
		panic("kernel.PackBF16: the right side is of " + p.set.number.String())
	}
	p.checkLayout("PackBF16", len(b), ldb, layout, from, to)
	for j := from; j < to; j++ {
		if p.k > 0 {
			p.packShort(p.panel(j), b, ldb, layout, j, 0, p.steps)
		}
	}
}

// packShort is packBF16 of numbers that are bfloat16 already.
func (p *Packed) packShort(dst []float32, b []uint16, ldb int, layout Layout, j, first, steps int) {
	s, width := p.set, p.set.width
	columns := p.columns(j)
	k0 := 2 * first
	k := min(2*steps, p.k-k0)
	dst = dst[:steps*width]
	switch layout {
	case OutputsInputs:
		s.pairShortRows(dst, width, b[j*width*ldb+k0:], ldb, columns, k)
	case InputsOutputs:
		s.zipShortRows(dst, width, b[k0*ldb+j*width:], ldb, columns, k)
	default:
		words := wordsOf(dst)
		for c := range columns {
			column := b[(j*width+c)*ldb:][:p.k]
			for r := 0; r < k; r += 2 {
				even, odd := column[layout.row(k0+r, p.k)], uint16(0)
				if r+1 < k {
					odd = column[layout.row(k0+r+1, p.k)]
				}
				words[r/2*width+c] = normalPair(even, odd)
			}
		}
	}
	p.fillUp(dst, columns, 0)
}
