package kernel

import "math"

// pooling is dst[i] = what is made of x[y*stepDown+z*stepAcross+i] for y < down, z < across.
type pooling = func(dst, x []float32, down, across, stepDown, stepAcross int)

// poolGeneric makes pooling of an operation and what it gives for no values.
func poolGeneric(none float32, combine func(a, b float32) float32) pooling {
	return func(dst, x []float32, down, across, stepDown, stepAcross int) {
		for i := range dst {
			sum := none
			for y := range down {
				for z := range across {
					sum = combine(sum, x[y*stepDown+z*stepAcross+i])
				}
			}
			dst[i] = sum
		}
	}
}

var (
	poolMaxGeneric = poolGeneric(float32(math.Inf(-1)), func(a, b float32) float32 { return max(a, b) })
	poolSumGeneric = poolGeneric(0, func(a, b float32) float32 { return a + b })
)
