package kernel

import (
	"fmt"
	"math"
)

// Functions of vectors. Operands have the length of dst, which may be one of them but must not overlap one otherwise. NaN,
// infinities and zeros are treated as package math treats them. The bounds are of the assembly, held against float64 at one
// float32 in 13 of all that there are; the portable set rounds float64 results.

// Exp is dst[i] = e^x[i], within 1 unit in the last place.
func (s *Set) Exp(dst, x []float32) { s.map1("Exp", s.exp, dst, x) }

// Tanh is dst[i] = tanh x[i], within 1.4 units in the last place.
func (s *Set) Tanh(dst, x []float32) { s.map1("Tanh", s.tanh, dst, x) }

// Erf is dst[i] = erf x[i], within 1.2 units in the last place.
func (s *Set) Erf(dst, x []float32) { s.map1("Erf", s.erf, dst, x) }

// GELU is dst[i] = x/2 (1 + erf(x/√2)), within 0.7·2^-23 |x|.
func (s *Set) GELU(dst, x []float32) { s.map1("GELU", s.gelu, dst, x) }

// GELUTanh is dst[i] = x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))), within 1.1·2^-23 |x|.
func (s *Set) GELUTanh(dst, x []float32) { s.map1("GELUTanh", s.geluTanh, dst, x) }

// ReLU is dst[i] = x[i], or 0 where that is negative.
func (s *Set) ReLU(dst, x []float32) { s.map1("ReLU", s.relu, dst, x) }

// Sqrt is dst[i] = √x[i].
func (s *Set) Sqrt(dst, x []float32) { s.map1("Sqrt", s.sqrt, dst, x) }

// Abs is dst[i] = |x[i]|.
func (s *Set) Abs(dst, x []float32) { s.map1("Abs", s.abs, dst, x) }

// Add is dst[i] = x[i] + y[i].
func (s *Set) Add(dst, x, y []float32) { s.map2("Add", s.add, dst, x, y) }

// Sub is dst[i] = x[i] - y[i].
func (s *Set) Sub(dst, x, y []float32) { s.map2("Sub", s.sub, dst, x, y) }

// Mul is dst[i] = x[i] y[i].
func (s *Set) Mul(dst, x, y []float32) { s.map2("Mul", s.mul, dst, x, y) }

// Div is dst[i] = x[i] / y[i].
func (s *Set) Div(dst, x, y []float32) { s.map2("Div", s.div, dst, x, y) }

// Larger is dst[i] = the larger of x[i] and y[i], NaN where one is.
func (s *Set) Larger(dst, x, y []float32) { s.map2("Larger", s.max, dst, x, y) }

// Smaller is dst[i] = the smaller of x[i] and y[i], NaN where one is.
func (s *Set) Smaller(dst, x, y []float32) { s.map2("Smaller", s.min, dst, x, y) }

// Equal is dst[i] = 1 where x[i] = y[i], else 0.
func (s *Set) Equal(dst, x, y []float32) { s.map2("Equal", s.equal, dst, x, y) }

// Less is dst[i] = 1 where x[i] < y[i], else 0.
func (s *Set) Less(dst, x, y []float32) { s.map2("Less", s.less, dst, x, y) }

// LessEqual is dst[i] = 1 where x[i] ≤ y[i], else 0.
func (s *Set) LessEqual(dst, x, y []float32) { s.map2("LessEqual", s.lessEqual, dst, x, y) }

// Choose is dst[i] = x[i] where condition[i] is not 0, else y[i].
func (s *Set) Choose(dst, condition, x, y []float32) {
	equal("Choose", dst, condition)
	equal("Choose", dst, x)
	equal("Choose", dst, y)
	if len(dst) > 0 {
		s.choose(dst, condition, x, y)
	}
}

// Prefetch asks for the memory of x to be brought near: it will be read soon, and nothing else would say so in time.
func (s *Set) Prefetch(x []float32) {
	if len(x) > 0 {
		s.prefetch(x)
	}
}

// Scale is dst[i] = alpha x[i].
func (s *Set) Scale(dst, x []float32, alpha float32) {
	equal("Scale", dst, x)
	if len(dst) > 0 {
		s.scale(dst, x, alpha)
	}
}

// Axpy is y[i] += alpha x[i], rounded once.
func (s *Set) Axpy(y, x []float32, alpha float32) {
	equal("Axpy", y, x)
	if len(y) > 0 {
		s.axpy(y, x, alpha)
	}
}

// Sum is the sum of x, added in the set's own order.
func (s *Set) Sum(x []float32) float32 {
	if len(x) == 0 {
		return 0
	}
	return s.sum(x)
}

// Max is the largest value of x: NaN if one is NaN, -Inf if there is none.
func (s *Set) Max(x []float32) float32 {
	if len(x) == 0 {
		return float32(math.Inf(-1))
	}
	return s.largest(x)
}

func (s *Set) map1(name string, f unary, dst, x []float32) {
	equal(name, dst, x)
	if len(dst) > 0 {
		f(dst, x)
	}
}

func (s *Set) map2(name string, f binary, dst, x, y []float32) {
	equal(name, dst, x)
	equal(name, dst, y)
	if len(dst) > 0 {
		f(dst, x, y)
	}
}

// equal panics unless lengths are equal: the assembly trusts this.
func equal(name string, dst, x []float32) {
	if len(dst) != len(x) {
		panic(fmt.Sprintf("kernel.%s: lengths differ: %d and %d", name, len(dst), len(x)))
	}
}
