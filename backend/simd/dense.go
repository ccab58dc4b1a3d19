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
	inputs := []compute.Value{x, weight, bias}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.FusedDense(in[0], in[1], in[2], options)
	})
	if err != nil {
		return nil, err
	}
	activation, ok := activations[options.Activation]
	n := f.made(v, inputs)
	if n == nil || !ok || !f.plain(v, x, weight, bias) {
		return v, nil
	}
	k := f.shape(x).Dim(-1)
	p := packing{layout: kernel.InputsOutputs, k: k, n: f.shape(weight).Size() / k}
	if options.WeightLayout == compute.DenseLayoutOutputsInput {
		p.layout = kernel.OutputsInputs
	}
	n.finish = &finish{columns: p.n, bias: bias, activation: activation}
	n.kernel = func(run *execution, n *node) error {
		rows, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		right, err := run.right(n.inputs[1], run.preferred(n.inputs[1], p), nil)
		if err != nil {
			return err
		}
		return run.product(n, left{values: rows, m: len(rows) / k, k: k}, right)
	}
	return v, nil
}
