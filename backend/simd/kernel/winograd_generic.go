package kernel

// The two transformations, see winogradInputGeneric and winogradOutputGeneric; room is for 36 vectors that they put aside.
type (
	winogradInput  = func(dst []float32, stride int, x []float32, row, column, n int, room []float32)
	winogradOutput = func(c []float32, row, column int, m []float32, stride, n int, e ending, ldRow int, room []float32)
)

// winogradInputGeneric is dst[(6i+j)*stride+c] = (Bᵀ·x·B)[i][j] of the cells x[i*row+j*column+c], c < n.
func winogradInputGeneric(dst []float32, stride int, x []float32, row, column, n int, _ []float32) {
	for c := range n {
		var t [cellsSide][cellsSide]float32
		for j := range cellsSide {
			var d [cellsSide]float32
			for i := range d {
				d[i] = x[i*row+j*column+c]
			}
			for i, v := range cellLine(d) {
				t[i][j] = v
			}
		}
		for i := range t {
			for j, v := range cellLine(t[i]) {
				dst[(cellsSide*i+j)*stride+c] = v
			}
		}
	}
}

// cellLine is the transformation of six cells in a line: row p has the coefficients of the polynomial that is zero at all points but p.
func cellLine(d [cellsSide]float32) [cellsSide]float32 {
	const aa, bb = pointA * pointA, pointB * pointB
	evenA, oddA := d[4]-bb*d[2], pointA*(d[3]-bb*d[1])
	evenB, oddB := d[4]-aa*d[2], pointB*(d[3]-aa*d[1])
	return [cellsSide]float32{d[4] - (aa+bb)*d[2] + aa*bb*d[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, d[5] - (aa+bb)*d[3] + aa*bb*d[1]}
}

// winogradOutputGeneric is c[i*row+j*column+o] = max(floor, (Aᵀ·m·A)[i][j] + bias + residual), o < n, of the products m[(6i+j)*stride+o]; the
// residual's rows of pixels are ldRow apart.
func winogradOutputGeneric(c []float32, row, column int, m []float32, stride, n int, e ending, ldRow int, _ []float32) {
	for o := range n {
		var t [squareSide][cellsSide]float32
		for i := range cellsSide {
			var d [cellsSide]float32
			for j := range d {
				d[j] = m[(cellsSide*i+j)*stride+o]
			}
			for j, v := range productLine(d) {
				t[j][i] = v
			}
		}
		for j := range t {
			for i, y := range productLine(t[j]) {
				if e.bias != nil {
					y += e.bias[o]
				}
				if e.residual != nil {
					y += e.residual[i*ldRow+j*e.ldr+o]
				}
				if y < e.floor {
					y = e.floor
				}
				c[i*row+j*column+o] = y
			}
		}
	}
}

// productLine is the transformation of six products in a line to four results: row i has the points to the power of i.
func productLine(m [cellsSide]float32) [squareSide]float32 {
	const a, b = float32(pointA), float32(pointB)
	sumA, differenceA, sumB, differenceB := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [squareSide]float32{m[0] + sumA + sumB, a*differenceA + b*differenceB, a*a*sumA + b*b*sumB, a*a*a*differenceA + b*b*b*differenceB + m[5]}
}
