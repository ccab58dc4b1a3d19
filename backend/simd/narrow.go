package simd

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"

	"github.com/go-lxmert/lxmert/backend/simd/kernel"
)

// Products in bfloat16 and int8. GoMLX says them as conversions and products of the converted; here the conversion of the left side is a part of its packing, and
// weights are packed in the type that they are of.

// narrowProduct makes a product of bfloat16 a kernel, whose result is bfloat16 or float32.
func (f *function) narrowProduct(v, lhs compute.Value, lhsContracting []int, rhs compute.Value, rhsContracting []int, config compute.DotGeneralConfig) bool {
	if !f.short(lhs, rhs) || !f.plain(v) && !f.short(v) || !sumsInFloat32(config) {
		return false
	}
	x, weights := f.operandOf(v, lhs), f.operandOf(v, rhs)
	rows, columns := f.side(x, lhsContracting), f.side(weights, rhsContracting)
	if !rows.ok || !columns.ok {
		return false
	}
	n := f.maker[v]
	n.inputs = []compute.Value{x, weights}
	n.again = func(g compute.Function, in []compute.Value) ([]compute.Value, error) {
		sides := slices.Clone(in)
		for i, side := range []compute.Value{x, weights} {
			if f.shape(side).DType == dtypes.Float32 {
				var err error
				if sides[i], err = g.ConvertDType(in[i], dtypes.BFloat16); err != nil {
					return nil, err
				}
			}
		}
		y, err := g.DotGeneral(sides[0], lhsContracting, nil, sides[1], rhsContracting, nil, config)
		return []compute.Value{y}, err
	}
	n.multiply(rows, columns, kernel.BFloat16, f.short(v))
	return true
}

// operandOf is what the product v reads for its operand x: x itself, or the float32 value that it was converted from, if that lies in memory anyway. A
// parameter does; and where the result is float32, so that hidden states are, too, for their residuals.
func (f *function) operandOf(v, x compute.Value) compute.Value {
	if from := f.converted(x); from != nil && (f.plain(v) || f.maker[f.source(from)].parameter >= 0) {
		return from
	}
	return x
}

// converted is the float32 value that v is, converted to bfloat16; nil if it is none.
func (f *function) converted(v compute.Value) compute.Value {
	n := f.maker[v]
	if n == nil || !n.rounds || !f.plain(n.inputs[0]) {
		return nil
	}
	return n.inputs[0]
}

// ConvertDType implements compute.Function. Conversions to float32 are a matter of loading, for chains; those to bfloat16 are a matter of storing, or,
// for products, of packing.
func (f *function) ConvertDType(x compute.Value, dtype dtypes.DType) (compute.Value, error) {
	if n := f.maker[x]; n != nil && n.widens && dtype == dtypes.BFloat16 {
		return n.inputs[0], nil // there and back again
	}
	inputs := []compute.Value{x}
	v, err := f.element(opConvert, inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		return g.ConvertDType(in[0], dtype)
	})
	if err != nil {
		return nil, err
	}
	if n := f.made(v, inputs); n != nil && n.element == opConvert {
		from := f.shape(x).DType
		n.rounds = dtype == dtypes.BFloat16 && from == dtypes.Float32
		n.widens = dtype == dtypes.Float32 && from == dtypes.BFloat16
	}
	return v, nil
}

// FusedQuantizedDense implements compute.Function: activation(x · weights + bias), where weights are int8 with a scale for each output. It is a kernel if weights are
// [inputs, outputs] of int8 or a transposed [outputs, inputs], and the scales, which GoMLX wants for each weight, are spread over them from [outputs]; then x is
// quantised too, row by row ([kernel.Int8]). In all other forms it runs as the portable backend has it.
func (f *function) FusedQuantizedDense(x, weights, bias compute.Value, q *compute.Quantization, activation compute.ActivationType) (compute.Value, error) {
	if q == nil || q.ZeroPoint != nil || q.Scheme != compute.QuantLinear {
		return f.quantizedAsItStands(x, weights, bias, q, activation)
	}
	finishing, known := activations[activation]
	scales := f.spreadOver(q.Scale, 1)
	shape := f.shape(weights)
	if !known || scales == nil || q.BlockSize != 1 || q.BlockAxis != 1 || shape.DType != dtypes.Int8 || shape.Rank() != 2 || shape.Size() == 0 ||
		!f.plain(x, bias, scales) || f.shape(scales).Size() != shape.Dim(1) {
		return f.quantizedAsItStands(x, weights, bias, q, activation)
	}
	p := packing{layout: kernel.InputsOutputs, k: shape.Dim(0), n: shape.Dim(1), number: kernel.Int8}
	kept := weights
	if n := f.maker[weights]; n != nil && slices.Equal(n.turned, []int{1, 0}) {
		kept, p.layout = n.inputs[0], kernel.OutputsInputs
	}
	if made := f.maker[kept]; made == nil || made.parameter < 0 {
		return f.quantizedAsItStands(x, weights, bias, q, activation)
	}
	inputs := []compute.Value{x, kept, bias, scales}
	v, err := f.one(inputs, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		w := in[1]
		var err error
		if p.layout == kernel.OutputsInputs {
			if w, err = g.Transpose(w, 1, 0); err != nil {
				return nil, err
			}
		}
		over := *q
		if over.Scale, err = g.BroadcastInDim(in[3], shapes.Make(dtypes.Float32, p.k, p.n), []int{1}); err != nil {
			return nil, err
		}
		return g.FusedQuantizedDense(in[0], w, in[2], &over, activation)
	})
	if err != nil {
		return nil, err
	}
	n := f.made(v, inputs)
	if n == nil || !f.plain(v) {
		return v, nil
	}
	n.finish = &finish{columns: p.n, bias: bias, activation: finishing}
	n.kernel = func(run *execution, n *node) error {
		rows, err := run.input(n.inputs[0])
		if err != nil {
			return err
		}
		steps, err := run.input(n.inputs[3])
		if err != nil {
			return err
		}
		right, err := run.right(n.inputs[1], p, steps)
		if err != nil {
			return err
		}
		return run.product(n, left{values: rows, m: len(rows) / p.k, k: p.k}, right)
	}
	return v, nil
}

// spreadOver is the vector that v is, spread over that axis of a matrix; nil if it is none.
func (f *function) spreadOver(v compute.Value, axis int) compute.Value {
	n := f.maker[v]
	if n == nil || !slices.Equal(n.spread, []int{axis}) || f.shape(v).Rank() != 2 || f.shape(n.inputs[0]).Rank() != 1 {
		return nil
	}
	return n.inputs[0]
}

// quantizedAsItStands leaves the operation to the portable backend.
func (f *function) quantizedAsItStands(x, weights, bias compute.Value, q *compute.Quantization, activation compute.ActivationType) (compute.Value, error) {
	if q == nil {
		return f.Function.FusedQuantizedDense(x, weights, bias, q, activation) // which says what is wrong
	}
	return f.one([]compute.Value{x, weights, bias, q.Scale, q.ZeroPoint}, func(g compute.Function, in []compute.Value) (compute.Value, error) {
		with := *q
		with.Scale, with.ZeroPoint = in[3], in[4]
		return g.FusedQuantizedDense(in[0], in[1], in[2], &with, activation)
	})
}
