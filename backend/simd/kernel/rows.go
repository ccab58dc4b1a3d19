package kernel

// Softmax is dst = softmax(scale·x + mask) of each of some rows, of columns values that lie one after another. mask
// is nil, or has a row for each row, ldMask apart: 0 for one row that serves all. dst may be x. A row all of whose
// values are -Inf becomes NaN, as it does in float64.
func (s *Set) Softmax(dst, x []float32, rows, columns int, scale float32, mask []float32, ldMask int) {
	need("Softmax", "dst", dst, rows, columns, columns)
	need("Softmax", "x", x, rows, columns, columns)
	if mask != nil && ldMask == 0 {
		need("Softmax", "mask", mask, min(rows, 1), columns, columns)
	} else if mask != nil {
		need("Softmax", "mask", mask, rows, columns, ldMask)
	}
	if columns == 0 {
		return
	}
	for r := range rows {
		var added []float32
		if mask != nil {
			added = mask[r*ldMask:][:columns]
		}
		s.softmax(dst[r*columns:][:columns], x[r*columns:][:columns], added, scale)
	}
}

// LayerNorm is dst = (y - mean y) / √(var y + epsilon) · gamma + beta of each row of y = x + residual. Rows are of columns
// values, one after another. residual, gamma and beta may be nil; dst may be x or residual.
func (s *Set) LayerNorm(dst, x, residual, gamma, beta []float32, rows, columns int, epsilon float32) {
	need("LayerNorm", "dst", dst, rows, columns, columns)
	need("LayerNorm", "x", x, rows, columns, columns)
	if residual != nil {
		need("LayerNorm", "residual", residual, rows, columns, columns)
	}
	if gamma != nil {
		need("LayerNorm", "gamma", gamma, 1, columns, columns)
	}
	if beta != nil {
		need("LayerNorm", "beta", beta, 1, columns, columns)
	}
	if columns == 0 {
		return
	}
	for r := range rows {
		var added []float32
		if residual != nil {
			added = residual[r*columns:][:columns]
		}
		s.layerNorm(dst[r*columns:][:columns], x[r*columns:][:columns], added, gamma, beta, epsilon)
	}
}
