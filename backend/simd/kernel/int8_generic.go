package kernel

import (
	"math"
	"slices"
)

// int8Generic is the portable arithmetic of int8, of tiles as wide as the float32 ones.
var int8Generic = multiplier{
	number: Int8, per: 4, wide: 1,
	int8: int8Packing{magnitude: magnitudeGeneric, quads: quadsGeneric, left: quadsGeneric,
		row: func(dst, x []float32, inverse float32) int32 { return rowInt8(dst, x, inverse, 1) }},
	int8Tile: int8TileGeneric,
}

func magnitudeGeneric(x []float32) uint32 {
	var largest uint32
	for _, v := range x {
		largest = max(largest, math.Float32bits(v)&0x7fffffff)
	}
	return largest
}

func quadsGeneric(dst []float32, stride int, x []float32, ldx, k int, inverse [4]float32) (sums [4]int32) {
	for r := range 4 {
		p := 0
		for four := range slices.Chunk(x[r*ldx:][:k], 4) {
			var q [4]int8
			for i, v := range four {
				q[i] = quantise(v, inverse[r])
				sums[r] += int32(q[i])
			}
			wordsOf(dst)[p*stride+r] = quad(q)
			p++
		}
	}
	return sums
}

// int8TileGeneric sums unsigned weights times the left side.
func int8TileGeneric(rows int, c []float32, ldc int, a, b []float32, k, _, _ int, more bool, d dequantising) {
	left, right := wordsOf(a), wordsOf(b)
	for r := range rows {
		for j := range genericWidth {
			sum := &intsOf(c)[r*ldc+j]
			if !more {
				*sum = 0
			}
			*sum += d.starts[r]
			for p := range k {
				x, w := left[p*rows+r], right[p*genericWidth+j]
				*sum += int32(int8(x))*int32(uint8(w)) + int32(int8(x>>8))*int32(uint8(w>>8)) +
					int32(int8(x>>16))*int32(uint8(w>>16)) + int32(int8(x>>24))*int32(w>>24)
			}
			if d.rows != nil {
				c[r*ldc+j] = float32(float32(*sum)*d.columns[j]) * d.rows[r]
			}
		}
	}
}
