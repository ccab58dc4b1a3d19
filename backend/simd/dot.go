package simd

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// DotGeneral implements compute.Function. Many small products (see batched) and large ones run on the kernels. Products without batch axes whose contracted axes stand together at one end
// of each side are matrix products: gradients of linear maps are of this kind.
func (f *function) DotGeneral(lhs compute.Value, lhsContracting, lhsBatch []int, rhs compute.Value, rhsContracting, rhsBatch []int,
	config compute.DotGeneralConfig) (compute.Value, error) {
	inputs := []compute.Value{lhs, rhs}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.DotGeneral(in[0], lhsContracting, lhsBatch, in[1], rhsContracting, rhsBatch, config)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n != nil && len(lhsBatch)+len(rhsBatch) == 0 && f.narrowProduct(v, lhs, lhsContracting, rhs, rhsContracting, config) {
		return v, nil
	}
	if p, ok := f.batchedProduct(lhs, lhsContracting, lhsBatch, rhs, rhsContracting, rhsBatch); ok && n != nil && f.short(v, lhs, rhs) && sumsInFloat32(config) {
		n.multiplyShort(p)
		return v, nil
	}
	if n == nil || !f.plain(v, lhs, rhs) || !sumsInFloat32(config) {
		return v, nil
	}
	if p, ok := f.batchedProduct(lhs, lhsContracting, lhsBatch, rhs, rhsContracting, rhsBatch); ok {
		f.setKernel(v, func(b *Backend, c []float32, in [][]float32) { b.multiply(p, c, in[0], in[1]) })
		return v, nil
	}
	rows, columns := f.side(lhs, lhsContracting), f.side(rhs, rhsContracting)
	if !rows.ok || !columns.ok || len(lhsBatch)+len(rhsBatch) > 0 {
		return v, nil
	}
	n.multiply(rows, columns, kernel.Float32, false)
	return v, nil
}

// sumsInFloat32 reports whether a product may add up in float32.
func sumsInFloat32(config compute.DotGeneralConfig) bool {
	return config.AccumulatorDType == dtypes.InvalidDType || config.AccumulatorDType == dtypes.Float32
}

// multiply lets a node be the product of its first two inputs, whose result is rounded if it is bfloat16.
func (n *node) multiply(rows, columns side, number kernel.Number, rounds bool) {
	p := packing{layout: kernel.OutputsInputs, k: columns.sums, n: columns.rows, number: number}
	if columns.sumsFirst {
		p.layout = kernel.InputsOutputs
	}
	n.finish = &finish{columns: p.n, number: number, rounds: rounds}
	n.kernel = func(x *execution, n *node) error {
		l, err := x.left(n.inputs[0], rows)
		if err != nil {
			return err
		}
		p := p
		if p.number == kernel.Float32 {
			p = x.preferred(n.inputs[1], p)
		}
		right, err := x.right(n.inputs[1], p, nil)
		if err != nil {
			return err
		}
		return x.product(n, l, right)
	}
}

// side is one side of a product as a matrix: [rows, sums], or [sums, rows] where sumsFirst.
type side struct {
	rows, sums int
	sumsFirst  bool
	ok         bool
}

// side reads a value whose contracted axes are its first or its last ones, in order.
func (f *function) side(v compute.Value, contracting []int) side {
	shape := f.shape(v)
	if len(contracting) == 0 {
		return side{}
	}
	s := side{sums: 1, ok: true, sumsFirst: contracting[0] == 0 && len(contracting) < shape.Rank()}
	first := shape.Rank() - len(contracting)
	if s.sumsFirst {
		first = 0
	}
	for i, axis := range contracting {
		s.ok = s.ok && axis == first+i
		s.sums *= shape.Dim(axis)
	}
	s.rows = shape.Size() / s.sums
	return s
}
