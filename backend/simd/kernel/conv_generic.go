package kernel

import "unsafe"

func weaveGeneric(dst []float32, rows int, row [weaveRows]*float32, offset, n int) {
	for r := range rows {
		for p, v := range unsafe.Slice(row[r], offset+n)[offset:] {
			dst[p*rows+r] = v
		}
	}
}

func convTileGeneric(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
	for j := range panels {
		tileGeneric(rows, c, ldc, a, b[j*step:], k, 0, 0, e.more)
		for r := range rows {
			row := c[r*ldc:][:genericWidth]
			for i := range row {
				y := row[i]
				if e.bias != nil {
					y += e.bias[j*genericWidth+i]
				}
				if e.residual != nil {
					y += e.residual[r*e.ldr+j*genericWidth+i]
				}
				if y < e.floor {
					y = e.floor
				}
				row[i] = y
			}
		}
		if j < panels-1 {
			c = c[genericWidth:]
		}
	}
}
