package train

import (
	"path"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// accumulatedScope is where the gradients of a step's parts are added up, beside the weights.
const accumulatedScope = "accumulated"

// accumulated is the sum of a weight's gradients.
func accumulated(scope *model.Scope, weight *model.Variable) *model.Variable {
	beside := scope.Store().Scope(path.Join("/", accumulatedScope, weight.Scope())).WithInitializer(initializer.Zero)
	return beside.VariableWithShape(weight.Name(), weight.Shape()).SetTrainable(false)
}

// accumulate adds this part's share of the gradients to those of the parts before it.
func accumulate(scope *model.Scope, first bool, gradients []*Node, share *Node) {
	i := 0
	for weight := range trained(scope, gradients[0].Graph()) {
		sum, sums := Mul(gradients[i], share), accumulated(scope, weight)
		if !first {
			sum = Add(sums.NodeValue(sum), sum)
		}
		sums.SetNodeValue(sum)
		i++
	}
}

// accumulatedValues are the sums for weights with these paths.
func accumulatedValues(store *model.Store, weights []string) ([]*tensors.Tensor, error) {
	values := make([]*tensors.Tensor, len(weights))
	for i, weight := range weights {
		var err error
		if values[i], err = store.GetVariable(accumulatedPath(weight)).Value(); err != nil {
			return nil, err
		}
	}
	return values, nil
}
