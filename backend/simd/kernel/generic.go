package kernel

import (
	"math"
	"slices"
)

const genericWidth = 16

// generic is the portable set, and what the others are held against.
var generic = Set{
	name: "generic",
	rows: 4, width: genericWidth,
	multiplier: multiplier{per: 1, wide: 1},
	short:      shortGeneric,
	tile:       tileGeneric,
	interleave: interleaveGeneric,
	convTile:   convTileGeneric, convHalf: convTileGeneric,
	weave: weaveGeneric,
	fence: func() {}, // it has no such results
	narrow: func(dst, x []float32, ldx, columns, k int) {
		for p := range k {
			copy(dst[p*columns:][:columns], x[p*ldx:])
		}
	},
	prefetch: func([]float32) {},
	finish: [activations]finish{
		Identity: finishGeneric(func(x float64) float64 { return x }),
		ReLU:     finishGeneric(reluOf),
		GELU:     finishGeneric(geluOf),
		GELUTanh: finishGeneric(geluTanhOf),
		Tanh:     finishGeneric(math.Tanh),
	},
	winogradInput: winogradInputGeneric, winogradOutput: winogradOutputGeneric,
	poolMax: poolMaxGeneric, poolSum: poolSumGeneric,
	peak: peakGeneric,

	exp:      each(math.Exp),
	tanh:     each(math.Tanh),
	erf:      each(math.Erf),
	gelu:     each(geluOf),
	geluTanh: each(geluTanhOf),
	relu:     each(reluOf),

	sqrt: each(math.Sqrt),
	abs:  each(math.Abs),

	add:       both(func(x, y float32) float32 { return x + y }),
	sub:       both(func(x, y float32) float32 { return x - y }),
	mul:       both(func(x, y float32) float32 { return x * y }),
	div:       both(func(x, y float32) float32 { return x / y }),
	max:       both(func(x, y float32) float32 { return max(x, y) }),
	min:       both(func(x, y float32) float32 { return min(x, y) }),
	equal:     both(func(x, y float32) float32 { return truth(x == y) }),
	less:      both(func(x, y float32) float32 { return truth(x < y) }),
	lessEqual: both(func(x, y float32) float32 { return truth(x <= y) }),
	choose: func(dst, condition, x, y []float32) {
		for i, c := range condition {
			if c != 0 {
				dst[i] = x[i]
			} else {
				dst[i] = y[i]
			}
		}
	},
	scale: func(dst, x []float32, alpha float32) {
		for i := range dst {
			dst[i] = alpha * x[i]
		}
	},
	axpy: func(y, x []float32, alpha float32) {
		for i := range y {
			y[i] = float32(float64(alpha)*float64(x[i]) + float64(y[i]))
		}
	},
	sum: func(x []float32) float32 {
		var sum float64
		for _, v := range x {
			sum += float64(v)
		}
		return float32(sum)
	},
	largest: slices.Max[[]float32],

	softmax:   softmaxGeneric,
	layerNorm: layerNormGeneric,
}

func init() {
	generic.with(bf16Generic, int8Generic, bf16TileGeneric, bf16ConvGeneric, int8ConvGeneric)
}

// each is a function of vectors made of one of numbers.
func each(f func(float64) float64) unary {
	return func(dst, x []float32) {
		for i, v := range x {
			dst[i] = float32(f(float64(v)))
		}
	}
}

// both is a function of pairs of vectors made of one of numbers.
func both(f func(x, y float32) float32) binary {
	return func(dst, x, y []float32) {
		for i := range dst {
			dst[i] = f(x[i], y[i])
		}
	}
}

func truth(yes bool) float32 {
	if yes {
		return 1
	}
	return 0
}

func reluOf(x float64) float64 {
	if x < 0 {
		return 0
	}
	return x
}

func geluOf(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }

func geluTanhOf(x float64) float64 {
	return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

func finishGeneric(activation func(float64) float64) finish {
	return func(c []float32, ldc, rows, n int, bias, residual []float32, ldr int, scale float32) {
		for r := range rows {
			row := c[r*ldc:][:n]
			for j := range row {
				y := float32(scale * row[j]) // rounded, on every CPU
				if bias != nil {
					y += bias[j]
				}
				if residual != nil {
					y += residual[r*ldr+j]
				}
				row[j] = float32(activation(float64(y)))
			}
		}
	}
}

func softmaxGeneric(dst, x, mask []float32, scale float32) {
	top := math.Inf(-1)
	for i, v := range x {
		dst[i] = scale * v
		if mask != nil {
			dst[i] += mask[i]
		}
		top = max(top, float64(dst[i]))
	}
	var sum float64
	for i, v := range dst {
		e := math.Exp(float64(v) - top)
		dst[i] = float32(e)
		sum += e
	}
	for i, e := range dst {
		dst[i] = float32(float64(e) / sum)
	}
}

func layerNormGeneric(dst, x, residual, gamma, beta []float32, epsilon float32) {
	var mean, variance float64
	for i, v := range x {
		if residual != nil {
			v += residual[i]
		}
		dst[i] = v
		mean += float64(dst[i]) / float64(len(x))
	}
	for _, v := range dst {
		variance += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	deviation := math.Sqrt(variance + float64(epsilon))
	for i, v := range dst {
		y := (float64(v) - mean) / deviation
		if gamma != nil {
			y *= float64(gamma[i])
		}
		if beta != nil {
			y += float64(beta[i])
		}
		dst[i] = float32(y)
	}
}

func tileGeneric(rows int, c []float32, ldc int, a, b []float32, k, _, _ int, more bool) {
	for r := range rows {
		for j := 0; j < genericWidth; j += 4 {
			sum := c[r*ldc+j:][:4]
			var s0, s1, s2, s3 float32 // four at a time, so that they may stay in registers
			if more {
				s0, s1, s2, s3 = sum[0], sum[1], sum[2], sum[3]
			}
			for p := range k {
				x, w := a[p*rows+r], b[p*genericWidth+j:][:4]
				s0 += x * w[0]
				s1 += x * w[1]
				s2 += x * w[2]
				s3 += x * w[3]
			}
			sum[0], sum[1], sum[2], sum[3] = s0, s1, s2, s3
		}
	}
}

func interleaveGeneric(dst []float32, stride int, x []float32, ldx, k int) {
	for p := range k {
		for r := range 4 {
			dst[p*stride+r] = x[r*ldx+p]
		}
	}
}

func peakGeneric(turns int) int {
	var s0, s1, s2, s3 float32
	x := float32(turns)
	for range turns {
		s0 += x * x
		s1 += x * x
		s2 += x * x
		s3 += x * x
	}
	if s0+s1+s2+s3 == -1 {
		panic("a sum of squares is not negative") // the sums are used, so the compiler keeps them
	}
	return 4 * turns
}
