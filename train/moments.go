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

// What no training of LXMERT changes: how slowly the moving averages of a gradient and of its square forget, and the share of a
// weight that is taken off it at a learning rate of 1.
const (
	beta1       = 0.9
	beta2       = 0.999
	weightDecay = 0.01
)

// eachWeight moves the averages m and v beside each weight p that has a gradient, and gives the weight its new value.
func eachWeight(scope *model.Scope, gradients []*Node, updated func(p, m, v *Node) *Node) {
	g := gradients[0].Graph()
	i := 0
	for variable := range scope.IterVariables() {
		if !variable.Trainable || !variable.InUseByGraph(g) {
			continue
		}
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
	beside := scope.Store().Scope(path.Join("/", optimizer.Scope, weight.Scope())).WithInitializer(initializer.Zero)
	return beside.VariableWithShape(weight.Name()+"."+kind, weight.Shape()).SetTrainable(false)
}
