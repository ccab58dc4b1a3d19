package kernel

// LeftTiles is the number of tiles that m rows of the left side of a product fall into.
func (s *Set) LeftTiles(m int) int { return (m + s.rows - 1) / s.rows }

// leftTile is where tile i of m rows begins, with the rows spread evenly, the longer tiles first.
func (s *Set) leftTile(m, i int) (row int) {
	tiles := s.LeftTiles(m)
	return i*(m/tiles) + min(i, m%tiles)
}

// LeftLen is how many values of 32 bits a packed left side of [m, k] takes: m·k of float32, fewer of narrower numbers.
func (s *Set) LeftLen(m, k int) int {
	if s.number == Int8 {
		return m * (s.leftWords(k) + 2)
	}
	return m * s.leftWords(k)
}

// leftWords is how many words a row of the left side takes.
func (s *Set) leftWords(k int) int { return s.words(k) * s.wide }

// PackLeft packs the left side of a product, a of [m, k] with rows lda apart, into dst, of [Set.LeftLen] values: tile after tile,
// and within a tile column after column. It packs tiles from ≤ i < to of [Set.LeftTiles], so that callers can
// split the work. The result serves every [Packed] of this set with this k. See [Set.GroupRows] where m is large.
func (s *Set) PackLeft(dst, a []float32, lda, m, k, from, to int) {
	need("PackLeft", "a", a, m, k, lda)
	need("PackLeft", "dst", dst, 1, s.LeftLen(m, k), len(dst))
	span("PackLeft", from, to, s.LeftTiles(m))
	if k == 0 && s.number != Int8 {
		return
	}
	l := s.leftSide(dst, m)
	words := s.leftWords(k)
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		tile := l.words[row*words : end*words]
		switch s.number {
		case BFloat16:
			s.packRowsBF16(tile, a[row*lda:], lda, end-row, k)
		case Int8:
			s.quantiseRows(tile, l.scales[row:end], l.starts[row:end], a[min(row*lda, len(a)):], lda, k)
		default:
			s.interleaveRows(tile, end-row, a[row*lda:], lda, end-row, k)
		}
	}
}

// PackLeftColumns is [Set.PackLeft] of a left side that lies transposed: a is [k, m] with rows lda apart.
func (s *Set) PackLeftColumns(dst, a []float32, lda, m, k, from, to int) {
	need("PackLeftColumns", "a", a, k, m, lda)
	need("PackLeftColumns", "dst", dst, 1, s.LeftLen(m, k), len(dst))
	span("PackLeftColumns", from, to, s.LeftTiles(m))
	if k == 0 && s.number != Int8 {
		return
	}
	l := s.leftSide(dst, m)
	words := s.leftWords(k)
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		tile := l.words[row*words : end*words]
		switch s.number {
		case BFloat16:
			s.packColumnsBF16(tile, a[row:], lda, end-row, k)
		case Int8:
			s.quantiseColumns(tile, l.scales[row:end], l.starts[row:end], a[min(row, len(a)):], lda, k)
		default:
			s.narrow(tile, a[row:], lda, end-row, k)
		}
	}
}

// leftSide is a packed left side.
type leftSide struct {
	words []float32 // tile after tile

	// Of int8, for each row: its step, and what its sums start with.
	scales []float32
	starts []int32
}

// leftSide finds the parts of a packed left side of m rows.
func (s *Set) leftSide(packed []float32, m int) leftSide {
	if s.number != Int8 {
		return leftSide{words: packed}
	}
	return leftSide{packed[2*m:], packed[:m], intsOf(packed[m : 2*m])}
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
