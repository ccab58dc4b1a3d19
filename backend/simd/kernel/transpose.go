package kernel

// Transpose is dst = xᵀ for columns from ≤ i < to of x, of [rows, columns]; dst is [columns, rows].
func (s *Set) Transpose(dst, x []float32, rows, columns, from, to int) {
	need("Transpose", "x", x, rows, columns, columns)
	need("Transpose", "dst", dst, columns, rows, rows)
	span("Transpose", from, to, columns)
	if rows == 0 || from == to {
		return
	}
	// Square blocks: what was read for four rows is still in the first cache when their next columns come.
	const block = 64
	for at := from; at < to; at += block {
		n := min(block, to-at)
		for row := 0; row < rows; row += block {
			count := min(block, rows-row)
			s.interleaveRows(dst[at*rows+row:], rows, x[row*columns+at:], columns, count, n)
		}
	}
}
