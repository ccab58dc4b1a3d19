package train

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// freezeUnreached makes the weights that the loss does not depend on untrainable until restore is called. They have no gradient: GoMLX
// gives 0 for one, and an optimiser would let them decay, which PyTorch does not. In question answering these are the visual side of
// the last cross-modality layer.
func freezeUnreached(s *model.Scope, loss *Node) (restore func()) {
	reached := reachedFrom(loss)
	var frozen []*model.Variable
	for variable := range s.IterVariables() {
		if variable.Trainable && variable.InUseByGraph(loss.Graph()) && !reached[variable.NodeValue(loss)] {
			frozen = append(frozen, variable.SetTrainable(false))
		}
	}
	return func() {
		for _, variable := range frozen {
			variable.SetTrainable(true)
		}
	}
}

// reachedFrom is every node that a gradient of loss can arrive at.
func reachedFrom(loss *Node) map[*Node]bool {
	reached := map[*Node]bool{}
	next := []*Node{loss}
	for len(next) > 0 {
		node := next[len(next)-1]
		next = next[:len(next)-1]
		if reached[node] || node.StopGradient() {
			continue
		}
		reached[node] = true
		next = append(next, node.Inputs()...)
	}
	return reached
}
