package kernel

// LeftScratch is how many values [Set.PackLeftBF16] and [Set.PackLeftColumnsBF16] need for themselves.
const LeftScratch = 16 * leftChunk

// leftChunk is how many steps of k are widened at a time: what a tile has of them stays in the first cache.
const leftChunk = 256

// PackLeftBF16 is [Set.PackLeft] of numbers that are bfloat16 already, as their 16 bits, for a set of that type. The smallest, which are
// not normal, become 0. scratch has [LeftScratch] values, of this goroutine alone.
func (s *Set) PackLeftBF16(dst []float32, a []uint16, lda, m, k, from, to int, scratch []float32) {
	s.checkShort("PackLeftBF16", dst, a, m, k, lda, from, to, m, k, scratch)
	if k == 0 {
		return
	}
	words := s.leftWords(k)
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		tile, rows := dst[row*words:end*words], end-row
		if s.wide == 1 {
			s.pairShortRows(tile, rows, a[row*lda:], lda, rows, k)
			continue
		}
		for p := 0; p < k; p += leftChunk {
			n := min(leftChunk, k-p)
			part := tile[p*rows : min(p+leftChunk, words)*rows]
			s.widenRows(scratch, leftChunk, a[row*lda+p:], lda, rows, n)
			s.packRowsBF16(part, scratch, leftChunk, rows, n)
		}
	}
}

// PackLeftColumnsBF16 is PackLeftBF16 of a left side that lies transposed: a is [k, m] with rows lda apart.
func (s *Set) PackLeftColumnsBF16(dst []float32, a []uint16, lda, m, k, from, to int, scratch []float32) {
	s.checkShort("PackLeftColumnsBF16", dst, a, k, m, lda, from, to, m, k, scratch)
	if k == 0 {
		return
	}
	words := s.leftWords(k)
	for i := from; i < to; i++ {
		row, end := s.leftTile(m, i), s.leftTile(m, i+1)
		tile, rows := dst[row*words:end*words], end-row
		// Whole vectors are read, beyond the tile too, but not beyond the matrix.
		columns := (rows + s.short.lanes - 1) / s.short.lanes * s.short.lanes
		for p := 0; p < k; p += leftChunk {
			n := min(leftChunk, k-p)
			x := a[p*lda+row:]
			read := columns
			if (n-1)*lda+columns > len(x) {
				read = rows
			}
			part := tile[p*rows*s.wide/2 : min(p+leftChunk, s.words(k)*2)*rows*s.wide/2]
			if s.wide == 1 {
				s.zipShortRows(scratch, columns, x, lda, read, n)
				s.narrow(part, scratch, columns, rows, s.words(n))
				continue
			}
			s.widenRows(scratch, columns, x, lda, n, read)
			s.packColumnsBF16(part, scratch, columns, rows, n)
		}
	}
}

// checkShort panics unless the arguments fit: a is a matrix of rows and columns.
func (s *Set) checkShort(function string, dst []float32, a []uint16, rows, columns, lda, from, to, m, k int, scratch []float32) {
	if s.number != BFloat16 {
		panic("kernel." + function + ": the set is of " + s.number.String())
	}
	needLength(function, "a", len(a), rows, columns, lda)
	need(function, "dst", dst, 1, s.LeftLen(m, k), len(dst))
	span(function, from, to, s.LeftTiles(m))
	need(function, "scratch", scratch, 1, LeftScratch, len(scratch))
}
