package model

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// With [Options.Checkpointing] a layer begins with a checkpoint of GoMLX's: the gradient reads nothing behind it that the forward pass
// has computed, but computes it again when it gets there. What comes from elsewhere (weights, masks, random numbers) it reads as it is; so
// the random state gets a checkpoint too, or every mask of dropout would be kept.

// begin is where a layer begins that reads these values.
func (o Options) begin(s *model.Scope, values ...**Node) { o.mark(s, (*Node).Checkpoint, values) }

// end is where the layers end; these are their last results.
func (o Options) end(s *model.Scope, values ...**Node) { o.mark(s, (*Node).StopCheckpoint, values) }

func (o Options) mark(s *model.Scope, mark func(*Node) *Node, values []**Node) {
	if !o.Checkpointing {
		return
	}
	for _, x := range values {
		*x = mark(*x)
	}
	g := (*values[0]).Graph()
	if random := s.Store().GetVariable(model.ScopeSeparator + model.RNGStateVariableName); random != nil && s.IsTraining(g) {
		random.SetNodeValue(mark(random.NodeValue(g)))
	}
}
