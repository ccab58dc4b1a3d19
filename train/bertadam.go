package train

import (
	"path"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/train/optimizer"
)

type dtype = dtypes.DType

// BertAdam is the original repository's optimiser: Adam without bias correction, with weight decay on every weight, and a
// learning rate that rises linearly for the first share Warmup of Steps and then falls linearly to 0. So the first
// update changes nothing.
type BertAdam struct {
	LearningRate float64
	Warmup       float64 // share of Steps; 0: none
	Steps        int     // of the whole training; 0: the learning rate stays as it is
}

// What the original never changes.
const (
	beta1       = 0.9
	beta2       = 0.999
	epsilon     = 1e-6
	weightDecay = 0.01
)

// UpdateGraphWithGradients implements [Optimizer]: m and v are the gradient's and its square's moving averages, and
// the weight p loses rate · (m / (√v + ε) + 0.01 p).
func (o *BertAdam) UpdateGraphWithGradients(scope *model.Scope, gradients []*Node, lossDType dtype) {
	rate := o.rate(optimizer.IncrementGlobalStep(gradients[0].Graph(), lossDType))
	i := 0
	for variable := range scope.IterVariables() {
		if !variable.Trainable || !variable.InUseByGraph(rate.Graph()) {
			continue
		}
		gradient := gradients[i]
		i++
		m, v := o.moment(scope, variable, "m"), o.moment(scope, variable, "v")
		mean := Add(MulScalar(m.NodeValue(gradient), beta1), MulScalar(gradient, 1-beta1))
		square := Add(MulScalar(v.NodeValue(gradient), beta2), MulScalar(Square(gradient), 1-beta2))
		m.SetNodeValue(mean)
		v.SetNodeValue(square)
		p := variable.NodeValue(gradient)
		update := Add(Div(mean, AddScalar(Sqrt(square), epsilon)), MulScalar(p, weightDecay))
		variable.SetNodeValue(Sub(p, Mul(rate, update)))
	}
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

// moment is the moving average of that kind beside a weight.
func (o *BertAdam) moment(scope *model.Scope, weight *model.Variable, kind string) *model.Variable {
	beside := scope.Store().Scope(path.Join("/", optimizer.Scope, weight.Scope())).WithInitializer(initializer.Zero)
	return beside.VariableWithShape(weight.Name()+"."+kind, weight.Shape()).SetTrainable(false)
}
