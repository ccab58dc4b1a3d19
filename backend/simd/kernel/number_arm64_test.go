//go:build !purego

package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMatrixBF16 compares products by BFMMLA, bit by bit, with the arithmetic that Arm's manual defines (BFMatMulAdd, without EBF16): the
// products of two pairs are added, then that to the sum, each rounded to odd.
func TestMatrixBF16(t *testing.T) {
	s := neon.In(BFloat16)
	if s.instruction != "BFMMLA" {
		t.Skip("this CPU lacks BF16")
	}
	r := rand.New(rand.NewPCG(51, 52))
	for i, k := range []int{1, 2, 3, 4, 5, 7, 8, 9, 20, 768, 1535, 1536, 1539, 3075} {
		for m := 1; m <= 7; m++ {
			p := randomProduct(r, m, 17+16*(i%2), k, m%3, 0)
			for j := range p.a.x {
				p.a.x[j] *= float32(math.Exp2(float64(r.IntN(40) - 20)))
			}
			p.run(s, 1)
			for row := range m {
				for column := range p.n {
					want := p.matrixBF16(row, column)
					if got := p.c.x[row*p.ldc+column]; got != want {
						t.Fatalf("m=%d n=%d k=%d: [%d][%d] is %v, want %v", m, p.n, k, row, column, got, want)
					}
				}
			}
		}
	}
}

// matrixBF16 is one element.
func (p *product) matrixBF16(row, column int) float32 {
	var total float32
	for k0 := 0; k0 < p.k; k0 += 2 * blockK {
		var sum float64
		for i := k0; i < min(k0+2*blockK, p.k); i += 2 {
			products := p.terms.left[row*p.k+i] * p.terms.right[column*p.k+i]
			if i+1 < p.k {
				products = addToOdd(products, p.terms.left[row*p.k+i+1]*p.terms.right[column*p.k+i+1])
			}
			sum = addToOdd(sum, products)
		}
		total += float32(sum)
	}
	return total
}

// addToOdd is the sum of two float32 numbers, as one: the number next to it, towards 0, whose last bit is then set if that is not exact.
func addToOdd(x, y float64) float64 {
	s := x + y
	rest := s - x // what the addition lost (Knuth)
	lost := (x - (s - rest)) + (y - rest)
	bits := math.Float64bits(s)
	if lost != 0 && bits&1 == 0 {
		if (lost > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	const below = 1<<29 - 1 // what float32 has no room for
	if bits&below != 0 {
		bits = bits&^below | (below + 1)
	}
	return math.Float64frombits(bits)
}

// TestNarrowInstructions: neon's names are those that this CPU can run, each its own set's.
func TestNarrowInstructions(t *testing.T) {
	for _, s := range NarrowSets() {
		bf16, int8 := s.In(BFloat16).Instruction(), s.In(Int8).Instruction()
		switch s {
		case &neonBase, &generic:
			if bf16+int8 != "" {
				t.Errorf("%v has instructions: %q, %q", s, bf16, int8)
			}
		case &neonDot:
			if bf16 != "" || int8 != "SDOT" {
				t.Errorf("%v: %q, %q", s, bf16, int8)
			}
		}
	}
}
