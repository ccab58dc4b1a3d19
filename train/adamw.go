package train

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// AdamW is Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019), on every weight, as PyTorch computes it; with a
// decay of 0 it is Adam (Kingma & Ba 2015). Bias correction counts the steps of the training, for all weights alike.
type AdamW struct {
	WeightDecay float64 // the share of a weight that is taken off it at a learning rate of 1
}

// adamEpsilon is what AdamW adds to a divisor.
const adamEpsilon = 1e-8

// Update implements [Optimizer]: m and v are the gradient's and its square's moving averages, m̂ and v̂ those without
// their bias towards 0, and the weight p loses rate · (m̂ / (√v̂ + ε) + decay · p).
func (o AdamW) Update(scope *model.Scope, gradients []*Node, rate, number *Node) {
	biasM, biasV := unbiased(number, beta1), unbiased(number, beta2)
	kept := OneMinus(MulScalar(rate, o.WeightDecay))
	eachWeight(scope, gradients, func(p, m, v *Node) *Node {
		divisor := AddScalar(Div(Sqrt(v), Sqrt(biasV)), adamEpsilon)
		return Sub(Mul(p, kept), Mul(Div(rate, biasM), Div(m, divisor)))
	})
}

// unbiased is 1 - beta^number, the weight that a moving average has given to gradients rather than to the 0 that it began with.
// Written as a power it would lose half its digits: 0.999 is no float32.
func unbiased(number *Node, beta float64) *Node { return Neg(Expm1(MulScalar(number, math.Log(beta)))) }
