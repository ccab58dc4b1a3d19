package train

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

// BertAdam is the original repository's optimiser: Adam without bias correction, with weight decay on every weight, and a
// learning rate that rises linearly for the first share Warmup of Steps and then falls linearly to 0. So the first
// update changes nothing.
type BertAdam struct {
	LearningRate float64
	Warmup       float64 // share of Steps; 0: none
	Steps        int     // of the whole training; 0: the learning rate stays as it is
}

// bertEpsilon is what BertAdam adds to a divisor.
const bertEpsilon = 1e-6

// UpdateGraphWithGradients implements [Optimizer]: m and v are the gradient's and its square's moving averages, and
// the weight p loses rate · (m / (√v + ε) + 0.01 p).
func (o *BertAdam) UpdateGraphWithGradients(scope *model.Scope, gradients []*Node, lossDType dtype) {
	rate := o.rate(optimizer.IncrementGlobalStep(gradients[0].Graph(), lossDType))
	eachWeight(scope, gradients, func(p, m, v *Node) *Node {
		update := Add(Div(m, AddScalar(Sqrt(v), bertEpsilon)), MulScalar(p, weightDecay))
		return Sub(p, Mul(rate, update))
	})
}

// rate is the learning rate of a step, counted from 1.
func (o *BertAdam) rate(step *Node) *Node {
	if o.Steps == 0 {
		return Scalar(step.Graph(), step.DType(), o.LearningRate)
	}
	done := DivScalar(AddScalar(step, -1), float64(o.Steps))
	falling := MaxScalar(DivScalar(AddScalar(done, -1), o.Warmup-1), 0)
	schedule := falling
	if o.Warmup > 0 {
		schedule = Where(LessThan(done, Scalar(step.Graph(), step.DType(), o.Warmup)), DivScalar(done, o.Warmup), falling)
	}
	return MulScalar(schedule, o.LearningRate)
}
