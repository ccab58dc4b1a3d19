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

// Add is dst[i] = x[i] + y[i].
func (s *Set) Add(dst, x, y []float32) { s.map2("Add", s.add, dst, x, y) }

// Mul is dst[i] = x[i] y[i].
func (s *Set) Mul(dst, x, y []float32) { s.map2("Mul", s.mul, dst, x, y) }

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
