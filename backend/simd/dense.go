package simd

import (
	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// activations are the dense layer's that kernels finish a product with.
var activations = map[compute.ActivationType]kernel.Activation{
	compute.ActivationNone: kernel.Identity,
	compute.ActivationRelu: kernel.ReLU,
	compute.ActivationTanh: kernel.Tanh,
	compute.ActivationGelu: kernel.GELU,
}

// FusedDense implements compute.Function: activation(x · weight + bias).
func (f *function) FusedDense(x, weight, bias compute.Value, options compute.DenseConfig) (compute.Value, error) {
	if err := f.fusible(compute.OpTypeFusedDense, x); err != nil {
		return nil, err
	}
	v, err := f.one([]compute.Value{x, weight, bias}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedDense(in[0], in[1], in[2], options)
	})
	if err != nil {
		return nil, err
	}
	activation, ok := activations[options.Activation]
	shape := f.shape(v)
	if !ok || !f.plain(v, x, weight, bias) {
		return v, nil
	}
	k := f.shape(x).Dim(-1)
	out := shape.Clone()
	p := packing{layout: kernel.InputsOutputs, k: k, n: f.shape(weight).Size() / k}
	if options.WeightLayout == compute.DenseLayoutOutputsInput {
		p.layout = kernel.OutputsInputs
	}
	f.maker[v].kernel = func(run *execution, n *node) error {
		c, err := run.output(v, out)
		if err != nil {
			return err
		}
		left, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		right, err := run.right(n.inputs[1], p)
		if err != nil {
			return err
		}
		epilogue := kernel.Epilogue{Activation: activation}
		if n.inputs[2] != nil {
			if epilogue.Bias, err = run.input(n.inputs[2]); err != nil {
				return err
			}
		}
		run.backend.product(c, left, right, len(left)/k, epilogue)
		return nil
	}
	return v, nil
}

// right is the right side of a product: packed once and kept where it is one of the caller's buffers.
func (x *execution) right(v compute.Value, p packing) (*kernel.Packed, error) {
	if buffer := x.callers[x.plan.memoryOf(v)]; buffer != nil {
		return buffer.pack(p)
	}
	weights, err := x.input(v)
	if err != nil {
		return nil, err
	}
	return x.backend.packB(weights, p), nil
}

// product is c = epilogue(left · right), with left of m rows and c of as many. Threads share the packing of the left
// side, then the panels of the right; a long left side is taken a group of rows at a time.
func (b *Backend) product(c, left []float32, right *kernel.Packed, m int, e kernel.Epilogue) {
	k, n := right.K(), right.N()
	group := min(m, b.set.GroupRows(k))
	packed := make([]float32, group*k)
	for from := 0; from < m; from += group {
		rows := min(group, m-from)
		b.shareRows(b.set.LeftTiles(rows), rows*k/b.set.LeftTiles(rows), func(first, end int) {
			b.set.PackLeft(packed, left[from*k:], k, rows, k, first, end)
		})
		b.share(right.Panels(), func(first, end int) {
			var scratch kernel.Scratch
			right.Mul(c[from*n:], n, packed, rows, first, end, e, &scratch)
		})
	}
}
