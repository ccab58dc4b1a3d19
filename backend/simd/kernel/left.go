package kernel

// LeftTiles is the number of tiles that m rows of the left side of a product fall into.
func (s *Set) LeftTiles(m int) int { return (m + s.rows - 1) / s.rows }

// leftTile is where tile i of m rows begins, with the rows spread evenly, the longer tiles first.
func (s *Set) leftTile(m, i int) (row int) {
	tiles := s.LeftTiles(m)
	return i*(m/tiles) + min(i, m%tiles)
}

// PackLeft packs the left side of a product, a of [m, k] with rows lda apart, into dst, of m·k values: tile after tile,
// and within a tile column after column. It packs tiles from ≤ i < to of [Set.LeftTiles], so that callers can
// split the work. The result serves every [Packed] of this set with this k. See [Set.GroupRows] where m is large.
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

// PackLeftColumns is [Set.PackLeft] of a left side that lies transposed: a is [k, m] with rows lda apart.
func (s *Set) PackLeftColumns(dst, a []float32, lda, m, k, from, to int) {
	need("PackLeftColumns", "a", a, k, m, lda)
	need("PackLeftColumns", "dst", dst, m, k, k)
	span("PackLeftColumns", from, to, s.LeftTiles(m))
	if k == 0 {
		return
	}
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		s.narrow(dst[row*k:end*k], a[row:], lda, end-row, k)
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
