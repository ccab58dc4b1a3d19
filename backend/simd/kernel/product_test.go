package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// headsOf are products over a batch of hidden states [batch, rows, heads, size], as attention has them: query·keyᵀ if scores,
// and probabilities·value if not.
func headsOf(scores bool, queries, keys, heads, size int) *Products {
	hidden := heads * size
	states := func(rows int) Strides { return Strides{Row: hidden, Inner: size, Outer: rows * hidden} }
	maps := Strides{Row: keys, Inner: queries * keys, Outer: heads * queries * keys}
	if scores {
		return &Products{M: queries, N: keys, K: size, B: OutputsInputs, Scale: float32(1 / math.Sqrt(float64(size))), Inner: heads,
			StrideA: states(queries), StrideB: states(keys), StrideC: maps}
	}
	return &Products{M: queries, N: size, K: keys, B: InputsOutputs, Inner: heads,
		StrideA: maps, StrideB: states(keys), StrideC: states(queries)}
}

func TestMultiply(t *testing.T) {
	const batch = 2
	eachSet(t, func(t *testing.T, s *Set) {
		r := rand.New(rand.NewPCG(23, 24))
		for _, heads := range []int{1, 3} {
			for _, size := range []int{8, 20, 64} {
				for _, queries := range []int{1, 5, 20, 36} {
					for _, keys := range []int{1, 14, 33, 36} {
						for _, scores := range []bool{true, false} {
							p := headsOf(scores, queries, keys, heads, size)
							a := randomFenced(r, batch*p.StrideA.Outer, 3)
							b := randomFenced(r, batch*p.StrideB.Outer, 1)
							c := newFenced(batch*p.StrideC.Outer, 2)
							scratch := newFenced(s.ProductsScratch(p), 0)
							s.Multiply(c.x, a.x, b.x, p, 0, 1, scratch.x)
							s.Multiply(c.x, a.x, b.x, p, 1, batch*heads, scratch.x)
							c.check(t)
							scratch.check(t)
							for i := range batch * heads {
								checkPair(t, p, c.x[p.StrideC.at(i, heads):], a.x[p.StrideA.at(i, heads):], b.x[p.StrideB.at(i, heads):])
							}
						}
					}
				}
			}
		}
	})
}

// checkPair compares one product with float64.
func checkPair(t *testing.T, p *Products, c, a, b []float32) {
	t.Helper()
	for row := range p.M {
		for column := range p.N {
			var want, size float64
			for i := range p.K {
				j := i*p.StrideB.Row + column
				if p.B == OutputsInputs {
					j = column*p.StrideB.Row + i
				}
				term := float64(a[row*p.StrideA.Row+i]) * float64(b[j])
				if p.Scale != 0 {
					term *= float64(p.Scale)
				}
				want += term
				size += math.Abs(term)
			}
			bound := float64(p.K+2) * 0x1p-24 * size
			if got := float64(c[row*p.StrideC.Row+column]); !(math.Abs(got-want) <= bound) {
				t.Fatalf("m=%d n=%d k=%d: c[%d][%d] is %v, want %v ± %v", p.M, p.N, p.K, row, column, got, want, bound)
			}
		}
	}
}

func TestMultiplyAllocatesNothing(t *testing.T) {
	eachSet(t, func(t *testing.T, s *Set) {
		p := headsOf(true, 20, 36, 2, 64)
		a, b, c := make([]float32, p.StrideA.Outer), make([]float32, p.StrideB.Outer), make([]float32, p.StrideC.Outer)
		scratch := make([]float32, s.ProductsScratch(p))
		if n := testing.AllocsPerRun(10, func() { s.Multiply(c, a, b, p, 0, 2, scratch) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		panics(t, "kernel.Multiply: scratch is too short", func() { s.Multiply(c, a, b, p, 0, 2, scratch[1:]) })
	})
}
