package train

import (
	"path"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// accumulatedScope is where the gradients of earlier batches of a step wait, beside the weights.
const accumulatedScope = "accumulated"

// accumulated adds this batch's share of the gradients to those of the batches before it; they are kept for the next batch unless it is the last.
func accumulated(scope *model.Scope, p phase, gradients []*Node, share *Node) []*Node {
	sums := make([]*Node, len(gradients))
	i := 0
	for variable := range trained(scope, gradients[0].Graph()) {
		sum := Mul(gradients[i], share)
		kept := scope.Store().Scope(path.Join("/", accumulatedScope, variable.Scope())).WithInitializer(initializer.Zero).
			VariableWithShape(variable.Name(), variable.Shape()).SetTrainable(false)
		if p != phaseFirst {
			sum = Add(kept.NodeValue(sum), sum)
		}
		if p != phaseLast {
			kept.SetNodeValue(sum)
		}
		sums[i] = sum
		i++
	}
	return sums
}
