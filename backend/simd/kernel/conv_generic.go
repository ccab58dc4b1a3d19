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
	convPanels(tileGeneric, rows, c, ldc, a, b, k, panels, step, e)
}

func bf16ConvGeneric(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
	convPanels(bf16TileGeneric, rows, c, ldc, a, b, k, panels, step, e)
}

// int8ConvGeneric leaves sums as they are while more is to come.
func int8ConvGeneric(rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
	for j := range panels {
		d, end := e.d, e
		if d.rows == nil {
			int8TileGeneric(rows, c, ldc, a, b[j*step:], k, 0, 0, e.more, d)
		} else {
			d.columns = d.columns[j*genericWidth:]
			end.bias, end.residual = from(e.bias, j*genericWidth), from(e.residual, j*genericWidth)
			convPanels(func(rows int, c []float32, ldc int, a, b []float32, k, ahead, pace int, more bool) {
				int8TileGeneric(rows, c, ldc, a, b, k, ahead, pace, more, d)
			}, rows, c, ldc, a, b[j*step:], k, 1, 0, end)
		}
		if j < panels-1 {
			c = c[genericWidth:]
		}
	}
}

// from is x from there on; of nothing, nothing.
func from(x []float32, at int) []float32 {
	if x == nil {
		return nil
	}
	return x[at:]
}

func convPanels(tile tiler, rows int, c []float32, ldc int, a, b []float32, k, panels, step int, e ending) {
	for j := range panels {
		tile(rows, c, ldc, a, b[j*step:], k, 0, 0, e.more)
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
