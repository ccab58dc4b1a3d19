package kernel

import "math"

// terms are the operands of a product as a type of number has them, in float64.
type terms struct {
	number      Number
	m, n, k     int
	left, right []float64 // [m, k] and [n, k]
	rows, sums  []float64 // of int8: each row's and each column's step
}

// termsOf rounds the operands by the definition, a number at a time.
func (p *product) termsOf(number Number) terms {
	t := terms{number: number, m: p.m, n: p.n, k: p.k}
	var row []float32
	for i := range p.m {
		row = append(row[:0], p.a.x[min(i*p.lda, len(p.a.x)):]...)
		values, step := rounded(number, row[:p.k])
		t.left, t.rows = append(t.left, values...), append(t.rows, step)
	}
	for j := range p.n {
		row = row[:0]
		for i := range p.k {
			row = append(row, p.b.x[p.layout.at(i, j, p.k, p.ldb)])
		}
		values, step := rounded(number, row)
		t.right, t.sums = append(t.right, values...), append(t.sums, step)
	}
	return t
}

// rounded are a row's numbers, which count step each.
func rounded(number Number, x []float32) (values []float64, step float64) {
	switch number {
	case BFloat16:
		for _, v := range x {
			values = append(values, toBF16(v))
		}
		return values, 1
	case Int8:
		largest := 0.0
		for _, v := range x {
			largest = math.Max(largest, math.Abs(float64(v)))
		}
		switch {
		case math.IsNaN(largest) || math.IsInf(largest, 0):
			return make([]float64, len(x)), math.NaN()
		case largest < 0x1p-100:
			return make([]float64, len(x)), 0
		}
		scale := float32(largest) / 127
		for _, v := range x {
			values = append(values, math.RoundToEven(float64(v*(1/scale))))
		}
		return values, float64(scale)
	default:
		for _, v := range x {
			values = append(values, float64(v))
		}
		return values, 1
	}
}

// toBF16 rounds by arithmetic: to 8 bits of significand.
func toBF16(x float32) float64 {
	y := float64(x)
	if math.IsNaN(y) || math.IsInf(y, 0) || y == 0 {
		return y
	}
	fraction, exponent := math.Frexp(y)
	if exponent < -125 {
		return 0
	}
	y = math.Ldexp(math.RoundToEven(math.Ldexp(fraction, 8)), exponent-8)
	if math.Abs(y) >= 0x1p128 {
		return math.Inf(int(math.Copysign(1, y)))
	}
	return y
}

// sum is an element of the product, the sum of its terms' magnitudes, and how often float32 may round it.
func (t *terms) sum(row, column int) (sum, size, roundings float64) {
	for i := range t.k {
		term := t.left[row*t.k+i] * t.right[column*t.k+i]
		sum += term
		size += math.Abs(term)
	}
	if t.number == Int8 {
		sum *= t.rows[row] * t.sums[column]
		return sum, math.Abs(sum), 6
	}
	return sum, size, float64(t.k + t.k/blockK + 4)
}
