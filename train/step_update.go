package train

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	gomodel "github.com/gomlx/gomlx/ml/model"
)

// update gives the weights that have a gradient their new values, and is the norm of all gradients before clipping.
func (s *Step) update(scope *gomodel.Scope, gradients []*graph.Node, rate, number *graph.Node) (norm *graph.Node) {
	norm = s.agreed(globalNorm(gradients))
	s.optimizer.Update(scope, clipped(gradients, norm, s.clip), rate, number)
	return norm
}

// updateGraph is the graph that updates weights by gradients that have been added up.
type updateGraph struct {
	step    *Step
	weights []string // paths
	program program
}

// run executes the graph and gives the gradients' norm. The model's lock is held.
func (g *updateGraph) run(rate float64, number int) (norm float64, err error) {
	if g.program == nil {
		g.program, err = g.step.program(func(s *gomodel.Scope, scalars []*graph.Node) []*graph.Node {
			var gradients []*graph.Node
			for weight := range s.IterVariables() {
				if weight.Trainable && slices.Contains(g.weights, weight.Path()) {
					weight.NodeValue(scalars[0]) // so that the graph uses it, which the optimiser goes by
					gradients = append(gradients, accumulated(s, weight).NodeValue(scalars[0]))
				}
			}
			return []*graph.Node{g.step.update(s, gradients, scalars[0], scalars[1])}
		})
		if err != nil {
			return 0, err
		}
	}
	out, err := g.step.onEach(g.program, float32(rate), float32(number))
	if err != nil {
		return 0, err
	}
	value, _ := out.Value().(float32)
	return float64(value), out.FinalizeAll()
}
