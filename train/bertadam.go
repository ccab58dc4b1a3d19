package train

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// BertAdam is the original repository's optimiser: Adam without bias correction, with weight decay on every weight.
type BertAdam struct{}

// What BertAdam adds to a divisor, and the share of a weight that it takes off it at a learning rate of 1.
const (
	bertEpsilon = 1e-6
	bertDecay   = 0.01
)

// Update implements [Optimizer]: m and v are the gradient's and its square's moving averages, and
// the weight p loses rate · (m / (√v + ε) + 0.01 p).
func (BertAdam) Update(scope *model.Scope, gradients []*Node, rate, _ *Node) {
	eachWeight(scope, gradients, func(p, m, v *Node) *Node {
		update := Add(Div(m, AddScalar(Sqrt(v), bertEpsilon)), MulScalar(p, bertDecay))
		return Sub(p, Mul(rate, update))
	})
}
