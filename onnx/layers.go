package onnx

import (
	"math"

	"github.com/gomlx/compute/dtypes"
)

// feedForward is the position-wise network: widen, activate, narrow, add, normalise.
func (e *exporter) feedForward(inter, output, x string) string {
	var inside string
	if e.operators != Standard && exactGELU(e.HiddenAct) {
		inside = e.node(contrib, "BiasGelu", []string{e.product(inter+"dense.", x), e.weight(inter + "dense.bias")})
	} else {
		inside = e.activate(e.linear(inter+"dense.", x))
	}
	return e.addNorm(output, inside, x)
}

// addNorm ends every sub-layer: a linear map back to the hidden size, the residual, and the normalisation.
func (e *exporter) addNorm(name, x, residual string) string {
	if e.operators == Standard {
		return e.layerNorm(name+"LayerNorm.", e.op("Add", e.linear(name+"dense.", x), residual))
	}
	return e.node(contrib, "SkipLayerNormalization", []string{e.product(name+"dense.", x), residual, e.weight(name + "LayerNorm.weight"),
		e.weight(name + "LayerNorm.bias"), e.weight(name + "dense.bias")}, attribute{"epsilon", epsilon})
}

// attend lets x look at context, each head on its own, and adds what it saw to x.
func (e *exporter) attend(name, output, x, context, mask string) string {
	var seen string
	switch {
	case e.operators == Standard:
		seen = e.look(name, x, context, mask)
	case e.operators == Attention && x == context:
		seen = e.fused("Attention", x, e.joinedWeights(name), e.joinedBiases(name), mask)
	default:
		seen = e.fused("MultiHeadAttention", e.product(name+"query.", x), e.product(name+"key.", context), e.product(name+"value.", context),
			e.joinedBiases(name), mask)
	}
	return e.addNorm(output, seen, x)
}

// look is softmax(q·kᵀ/√size + mask)·v for each head: [batch, rows, hidden].
func (e *exporter) look(name, x, context, mask string) string {
	q := e.split(e.linear(name+"query.", x), 0, 2, 1, 3)
	k := e.split(e.linear(name+"key.", context), 0, 2, 3, 1)
	v := e.split(e.linear(name+"value.", context), 0, 2, 1, 3)
	root := math.Sqrt(float64(e.HiddenSize / e.NumAttentionHeads))
	scores := e.op("Div", e.op("MatMul", q, k), e.floats("head_root", float32(root)))
	if mask != "" {
		scores = e.op("Add", scores, mask)
	}
	scores = e.node("", "Softmax", []string{scores}, attribute{"axis", -1})
	seen := e.node("", "Transpose", []string{e.op("MatMul", scores, v)}, attribute{"perm", []int{0, 2, 1, 3}})
	return e.op("Reshape", seen, e.ints("joined", 0, 0, int64(e.HiddenSize)))
}

// split divides the hidden axis into heads and reorders the axes.
func (e *exporter) split(x string, perm ...int) string {
	heads := e.NumAttentionHeads
	x = e.op("Reshape", x, e.ints("heads", 0, 0, int64(heads), int64(e.HiddenSize/heads)))
	return e.node("", "Transpose", []string{x}, attribute{"perm", perm})
}

// fused is one of ONNX Runtime's attention operators.
func (e *exporter) fused(op string, inputs ...string) string {
	return e.node(contrib, op, inputs, attribute{"num_heads", e.NumAttentionHeads}, attribute{"mask_filter_value", -float32(math.MaxFloat32)})
}

// layerNorm normalises the last axis, then scales and shifts it.
func (e *exporter) layerNorm(name, x string) string {
	return e.node("", "LayerNormalization", []string{x, e.weight(name + "weight"), e.weight(name + "bias")},
		attribute{"axis", -1}, attribute{"epsilon", epsilon})
}

// linear is x·weightᵀ + bias for [batch, rows, in], product the same without its bias, gemm of [batch, in].
func (e *exporter) linear(name, x string) string {
	return e.op("Add", e.weight(name+"bias"), e.product(name, x))
}

// product's weight stands in the file as MatMul wants it, [in, out].
func (e *exporter) product(name, x string) string {
	name += "weight"
	e.used[name] = true
	shape := e.declared[name]
	if len(shape) != 2 {
		return e.op("MatMul", x, name) // complete reports it
	}
	out, in := shape[0], shape[1]
	weight := e.constant(name+".T", float32Type, []int{in, out}, func() ([]byte, error) {
		values, err := e.values(name)
		if err != nil {
			return nil, err
		}
		return dtypes.UnsafeByteSliceFromAny(transposed(values, out, in)), nil
	})
	return e.op("MatMul", x, weight)
}

func (e *exporter) gemm(name, x string) string {
	return e.node("", "Gemm", []string{x, e.weight(name + "weight"), e.weight(name + "bias")}, attribute{"transB", 1})
}
