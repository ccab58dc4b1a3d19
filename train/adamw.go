package train

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// AdamW is Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019), on every weight, as PyTorch computes it,
// with the schedule that usually goes with it: the learning rate rises linearly in the first Warmup of Steps and then
// falls linearly to 0. So the first update changes nothing.
//
// Bias correction counts the steps of the training, for all weights alike.
type AdamW struct {
	LearningRate float64
	Warmup       int // steps; 0: none
	Steps        int // of the whole training; 0: the learning rate stays as it is
}

// adamEpsilon is what AdamW adds to a divisor.
const adamEpsilon = 1e-8

// UpdateGraphWithGradients implements [Optimizer]: m and v are the gradient's and its square's moving averages, m̂ and v̂ those without
// their bias towards 0, and the weight p loses rate · (m̂ / (√v̂ + ε) + 0.01 p).
func (o *AdamW) UpdateGraphWithGradients(scope *model.Scope, gradients []*Node, lossDType dtype) {
	step := optimizer.IncrementGlobalStep(gradients[0].Graph(), lossDType)
	rate := o.rate(step)
	biasM, biasV := unbiased(step, beta1), unbiased(step, beta2)
	kept := OneMinus(MulScalar(rate, weightDecay))
	eachWeight(scope, gradients, func(p, m, v *Node) *Node {
		divisor := AddScalar(Div(Sqrt(v), Sqrt(biasV)), adamEpsilon)
		return Sub(Mul(p, kept), Mul(Div(rate, biasM), Div(m, divisor)))
	})
}

// unbiased is 1 - beta^step, the weight that a moving average has given to gradients rather than to the 0 that it began with.
// Written as a power it would lose half its digits: 0.999 is no float32.
func unbiased(step *Node, beta float64) *Node { return Neg(Expm1(MulScalar(step, math.Log(beta)))) }

// rate is the learning rate of a step, counted from 1.
func (o *AdamW) rate(step *Node) *Node {
	if o.Steps == 0 {
		return Scalar(step.Graph(), step.DType(), o.LearningRate)
	}
	done := AddScalar(step, -1)
	falling := MaxScalar(DivScalar(Neg(AddScalar(done, -float64(o.Steps))), float64(max(1, o.Steps-o.Warmup))), 0)
	schedule := falling
	if o.Warmup > 0 {
		schedule = Where(LessThan(done, Scalar(step.Graph(), step.DType(), o.Warmup)), DivScalar(done, float64(o.Warmup)), falling)
	}
	return MulScalar(schedule, o.LearningRate)
}
