package model

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/gobackend"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/nn"
)

// What a linear map computes follows from the types of its operands, and those from how the network keeps its weights ([Precision]) or,
// in training, from [Options.BFloat16].

// param is the weight of that name in the scope, in the type in which the network keeps it. Its shape stands here, beside its name,
// and nowhere else: loading, saving and initialising walk what the graph has declared.
func param(s *model.Scope, g *Graph, name string, dimensions ...int) *Node {
	dtype := dtypes.Float32
	if kept := s.GetVariable(name); kept != nil && (kept.DType() == dtypes.BFloat16 || kept.DType() == dtypes.Int8) {
		dtype = kept.DType()
	}
	return s.VariableWithShape(name, shapes.Make(dtype, dimensions...)).NodeValue(g)
}

// linear is x·weightᵀ + bias over the last axis. The result is float32.
func linear(s *model.Scope, x *Node, out int) *Node {
	g, in := x.Graph(), x.Shape().Dim(-1)
	weight, bias := param(s, g, "weight", out, in), param(s, g, "bias", out)
	if weight.DType() == dtypes.Int8 {
		return quantizedDense(x, weight, param(s, g, "weight"+ScaleSuffix, out), bias)
	}
	return dense(x, weight, bias)
}

// dense is x·weightᵀ + bias over the last axis, as linear. weight is [out, in], bias [out] and float32. If x or weight is
// bfloat16, bfloat16 values are multiplied; the result is float32.
func dense(x, weight, bias *Node) *Node {
	var y *Node
	switch {
	case weight.DType() == dtypes.BFloat16:
		y = Dot(like(x, weight), weight).WithAccumulatorDType(dtypes.Float32).WithOutputDType(dtypes.Float32).General([]int{-1}, nil, []int{-1}, nil)
	case x.DType() == dtypes.Float32:
		return nn.Dense(x, weight, bias, compute.DenseLayoutOutputsInput)
	default:
		y = wide(product(x, like(weight, x)).General([]int{-1}, nil, []int{-1}, nil))
	}
	return Add(y, ExpandLeftToRank(bias, y.Rank()))
}

// quantizedDense is dense with a weight [out, in] in int8 and a scale for each output, [out]; x is float32.
//
// GoMLX's scales are [in, blocks of outputs]. One for each output is blocks of one, and the same for every input: engines see the
// scales broadcast, and the weight transposed. One that has the operation need not make either, and quantises x as rowwise does.
//
// GoMLX's portable engine (compute 0.1.6) gets rowwise: its own operation multiplies x as it is, and waits for itself where operations run in parallel.
func quantizedDense(x, weight, scale, bias *Node) *Node {
	decomposed := func() *Node { return rowwise(x, weight, scale, bias) }
	if x.Graph().Backend().Name() == gobackend.BackendName {
		return decomposed()
	}
	y, _ := InternalFusedOpCaller(func() *Node {
		return BackendFusedQuantizedDense(x, Transpose(weight, 0, 1), bias, &Quantization{
			Scheme: compute.QuantLinear, BlockAxis: 1, BlockSize: 1, Scale: BroadcastPrefix(scale, weight.Shape().Dim(1)),
		}, compute.ActivationNone)
	}, decomposed, true)
	return y
}

// rowwise is quantizedDense of elementary operations, what engines without the operation compute, and what ours is to compute: each
// row of x becomes whole numbers in -127..127 by its largest magnitude m, their products with weight's are added without error (here, but for
// float32's rounding of sums beyond 2²⁴), and the sum is scaled once. A row of smaller numbers than 2⁻¹⁰⁰ is one of
// zeros; one with a NaN or an infinity gives NaNs.
func rowwise(x, weight, scale, bias *Node) *Node {
	const most, least = 127, 0x1p-100
	m := ReduceAndKeep(Abs(x), ReduceMax, -1)
	toWhole := Where(LessThan(m, Scalar(m.Graph(), m.DType(), least)), ZerosLike(m), Div(Scalar(m.Graph(), m.DType(), most), m))
	whole := Round(Mul(x, toWhole))
	y := Dot(whole, ConvertDType(weight, dtypes.Float32)).General([]int{-1}, nil, []int{-1}, nil)
	y = Mul(y, Mul(DivScalar(m, most), ExpandLeftToRank(scale, m.Rank())))
	return Add(y, ExpandLeftToRank(bias, y.Rank()))
}
