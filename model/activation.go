package model

import (
	"maps"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/layers/activation"
)

// Activations lists the names that hidden_act may have: those of the reference's table
// (transformers' ACT2FN) that need no weights of their own.
func Activations() []string { return slices.Sorted(maps.Keys(activations)) }

// activations maps a name of hidden_act to the function. What GoMLX has under a type of
// its own is taken from there, so that a backend can fuse it.
var activations = map[string]func(x *Node) *Node{
	"gelu":              activation.Gelu,
	"gelu_python":       activation.Gelu,
	"gelu_new":          geluTanh,
	"gelu_accurate":     geluTanh,
	"gelu_pytorch_tanh": geluTanh,
	"gelu_fast":         geluTanh, // the same polynomial, factored differently
	"gelu_10":           func(x *Node) *Node { return ClipScalar(activation.Gelu(x), -10, 10) },
	"hardswish":         func(x *Node) *Node { return MulScalar(Mul(x, relu6(AddScalar(x, 3))), 1.0/6) },
	"laplace":           laplace,
	"leaky_relu":        func(x *Node) *Node { return activation.LeakyReluWith(x, 0.01) },
	"linear":            func(x *Node) *Node { return x },
	"mish":              mish,
	"quick_gelu":        func(x *Node) *Node { return Mul(x, Sigmoid(MulScalar(x, 1.702))) },
	"relu":              activation.Relu,
	"relu2":             func(x *Node) *Node { return Square(activation.Relu(x)) },
	"relu6":             relu6,
	"sigmoid":           Sigmoid,
	"silu":              activation.Swish,
	"swish":             activation.Swish,
	"tanh":              Tanh,
}

// geluTanh is ½x(1 + tanh(√(2/π)(x + 0.044715x³))) (Hendrycks & Gimpel 2016).
func geluTanh(x *Node) *Node {
	cubed := Mul(x, Square(x))
	inner := MulScalar(Add(x, MulScalar(cubed, 0.044715)), math.Sqrt(2/math.Pi))
	return Mul(MulScalar(x, 0.5), OnePlus(Tanh(inner)))
}

func relu6(x *Node) *Node { return ClipScalar(x, 0, 6) }

// laplace is ½(1 + erf((x-μ)/(σ√2))) with the constants of Ma et al. 2022, §3.
func laplace(x *Node) *Node {
	const mu, sigma = 0.707107, 0.282095
	scaled := DivScalar(AddScalar(x, -mu), sigma*math.Sqrt2)
	return MulScalar(OnePlus(Erf(scaled)), 0.5)
}

// mish is x·tanh(ln(1 + eˣ)) (Misra 2019); the logarithm is written so that a large x does not overflow.
func mish(x *Node) *Node {
	softplus := Add(activation.Relu(x), Log1P(Exp(Neg(Abs(x)))))
	return Mul(x, Tanh(softplus))
}
