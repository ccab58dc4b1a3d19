package simd

import (
	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// batched is a product of many pairs of matrices, as attention in parts has them: two batch axes (the examples and the
// heads, wherever they stand), one contracted axis and one free axis a side.
type batched struct {
	products kernel.Products
	pairs    int
	turn     bool // the left matrices lie transposed and are turned first
	left     kernel.Strides
}

// batchedProduct reads a DotGeneral as batched products; it is false for other kinds.
func (f *function) batchedProduct(lhs compute.Value, lhsContracting, lhsBatch []int, rhs compute.Value, rhsContracting, rhsBatch []int) (batched, bool) {
	a, b := f.shape(lhs), f.shape(rhs)
	if a.Rank() != 4 || b.Rank() != 4 || len(lhsBatch) != 2 || len(rhsBatch) != 2 || len(lhsContracting) != 1 || len(rhsContracting) != 1 {
		return batched{}, false
	}
	free := func(contracting, batch []int) int { return 6 - contracting[0] - batch[0] - batch[1] }
	stride := func(dims []int, axis int) int {
		s := 1
		for _, d := range dims[axis+1:] {
			s *= d
		}
		return s
	}
	m, n := free(lhsContracting, lhsBatch), free(rhsContracting, rhsBatch)
	p := batched{pairs: a.Dim(lhsBatch[0]) * a.Dim(lhsBatch[1])}
	p.products = kernel.Products{M: a.Dim(m), N: b.Dim(n), K: a.Dim(lhsContracting[0]), Inner: a.Dim(lhsBatch[1])}
	p.products.StrideA = kernel.Strides{Inner: stride(a.Dimensions, lhsBatch[1]), Outer: stride(a.Dimensions, lhsBatch[0])}
	p.products.StrideB = kernel.Strides{Inner: stride(b.Dimensions, rhsBatch[1]), Outer: stride(b.Dimensions, rhsBatch[0])}
	switch 3 {
	case lhsContracting[0]:
		p.products.StrideA.Row = stride(a.Dimensions, m)
	case m:
		p.turn, p.left = true, p.products.StrideA
		p.left.Row = stride(a.Dimensions, lhsContracting[0])
		size := p.products.M * p.products.K
		p.products.StrideA = kernel.Strides{Row: p.products.K, Inner: size, Outer: size * p.products.Inner}
	default:
		return batched{}, false // a batch axis is the innermost
	}
	switch 3 {
	case rhsContracting[0]:
		p.products.B, p.products.StrideB.Row = kernel.OutputsInputs, stride(b.Dimensions, n)
	case n:
		p.products.B, p.products.StrideB.Row = kernel.InputsOutputs, stride(b.Dimensions, rhsContracting[0])
	default:
		return batched{}, false
	}
	size := p.products.M * p.products.N
	p.products.StrideC = kernel.Strides{Row: p.products.N, Inner: size, Outer: size * p.products.Inner}
	return p, true
}

// multiply computes every pair; threads share them.
func (b *Backend) multiply(p batched, c, left, right []float32) {
	if p.turn {
		left = b.turn(p, left)
		defer b.memory.give(left)
	}
	b.share(p.pairs, func(from, to int) {
		scratch := b.memory.take(b.set.ProductsScratch(&p.products))
		defer b.memory.give(scratch)
		b.set.Multiply(c, left, right, &p.products, from, to, scratch)
	})
}

// multiplyShort lets a node be batched products of bfloat16.
func (n *node) multiplyShort(p batched) {
	if p.turn {
		p.products.StrideA = p.left
	}
	n.kernel = func(x *execution, n *node) error {
		left, err := x.shortInput(n.inputs[0])
		if err != nil {
			return err
		}
		right, err := x.shortInput(n.inputs[1])
		if err != nil {
			return err
		}
		c, err := x.shortOutput(n.outputs[0])
		if err != nil {
			return err
		}
		b := x.backend
		set := b.set.In(kernel.BFloat16)
		b.share(p.pairs, func(from, to int) {
			scratch := b.memory.take(set.ShortProductsScratch(&p.products))
			set.MultiplyBF16(c, left, right, &p.products, p.turn, from, to, scratch)
			b.memory.give(scratch)
		})
		return nil
	}
}

// turn copies to scratch left matrices that lie as [sums, rows] to [rows, sums], one after another.
func (b *Backend) turn(p batched, x []float32) []float32 {
	m, k := p.products.M, p.products.K
	y := b.memory.take(p.pairs * m * k)
	b.shareRows(p.pairs, m*k, func(from, to int) {
		for pair := from; pair < to; pair++ {
			src := x[pair/p.products.Inner*p.left.Outer+pair%p.products.Inner*p.left.Inner:]
			dst := y[pair*m*k:][:m*k]
			for sum := range k {
				for row, v := range src[sum*p.left.Row:][:m] {
					dst[row*k+sum] = v
				}
			}
		}
	})
	return y
}
