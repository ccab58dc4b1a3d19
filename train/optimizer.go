package train

import (
	"iter"
	"path"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
)

// Optimizer updates weights, given the gradient of each by the loss, in the order of scope's trainable variables that the graph uses.
// A weight that the loss does not depend on has no gradient and is not trainable meanwhile: it stays as it is. rate is the step's
// learning rate and number its number, from 1; both are scalars. Schedules are no business of an optimiser's ([Schedule]).
type Optimizer interface {
	Update(scope *model.Scope, gradients []*Node, rate, number *Node)
}

// How slowly the moving averages of a gradient and of its square forget; no training of LXMERT changes it.
const (
	beta1 = 0.9
	beta2 = 0.999
)

// momentScope is where the moving averages stand, beside the weights.
const momentScope = "optimizer"

// trained visits the weights that have a gradient, in the gradients' order.
func trained(scope *model.Scope, g *Graph) iter.Seq[*model.Variable] {
	var found []*model.Variable // first, for variables may be added while they are visited
	for variable := range scope.IterVariables() {
		if variable.Trainable && variable.InUseByGraph(g) {
			found = append(found, variable)
		}
	}
	return slices.Values(found)
}

// eachWeight moves the averages m and v beside each weight p that has a gradient, and gives the weight its new value.
func eachWeight(scope *model.Scope, gradients []*Node, updated func(p, m, v *Node) *Node) {
	g := gradients[0].Graph()
	i := 0
	for variable := range trained(scope, g) {
		gradient := gradients[i]
		i++
		m := moved(moment(scope, variable, "m"), gradient, beta1)
		v := moved(moment(scope, variable, "v"), Square(gradient), beta2)
		variable.SetNodeValue(updated(variable.NodeValue(g), m, v))
	}
}

// moved is a moving average after one more value.
func moved(average *model.Variable, value *Node, beta float64) *Node {
	moved := Add(MulScalar(average.NodeValue(value), beta), MulScalar(value, 1-beta))
	average.SetNodeValue(moved)
	return moved
}

// moment is the moving average of that kind beside a weight.
func moment(scope *model.Scope, weight *model.Variable, kind string) *model.Variable {
	beside := scope.Store().Scope(path.Join("/", momentScope, weight.Scope())).WithInitializer(initializer.Zero)
	return beside.VariableWithShape(weight.Name()+"."+kind, weight.Shape()).SetTrainable(false)
}
