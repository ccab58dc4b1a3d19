package train

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"
)

// phase is a batch's place among those whose gradients are averaged.
type phase int

const (
	phaseOnly  phase = iota // gradient and update
	phaseFirst              // its gradient is kept
	phaseNext               // its gradient is added
	phaseLast               // the same, and the update
)

// phaseOf is the phase of batch i of n.
func phaseOf(i, n int) phase {
	switch {
	case n == 1:
		return phaseOnly
	case i == 0:
		return phaseFirst
	case i == n-1:
		return phaseLast
	}
	return phaseNext
}

func (p phase) updates() bool { return p == phaseOnly || p == phaseLast }

// stepGraph is the graph of one phase, for batches with the same inputs.
type stepGraph struct {
	step  *Step
	phase phase
	exec  *gomodel.Exec
	parts []string // names, in the order of the outputs
	// choices says whether the objective does.
	choices bool
}

// stepOutput is what a graph found.
type stepOutput struct {
	loss, norm float64
	parts      map[string]float64
	choices    []int32
}

// run executes the graph. The model's lock is held.
func (g *stepGraph) run(rate float64, number int, share float64, batch *Batch) (stepOutput, error) {
	args, assemble := batch.Inputs.Nodes()
	if batch.Target != nil {
		args = append(args, batch.Target)
	}
	scalars := []any{float32(share)}
	if g.phase.updates() {
		scalars = append(scalars, float32(rate), float32(number))
	}
	if g.exec == nil {
		exec, err := gomodel.NewExec(g.step.model.Backend(), g.step.model.Store(), func(s *gomodel.Scope, nodes []*graph.Node) []*graph.Node {
			s.Store().SetTraining(nodes[0].Graph(), true) // before the objective, which asks whether to drop out
			inputs := nodes[len(scalars):]
			var target *graph.Node
			if batch.Target != nil {
				target = inputs[len(inputs)-1]
				inputs = inputs[:len(inputs)-1]
			}
			return g.build(s, nodes[:len(scalars)], g.step.objective(s, assemble(inputs), target))
		})
		if err != nil {
			return stepOutput{}, err
		}
		g.exec = exec
	}
	out, err := g.exec.Call(append(scalars, args...)...)
	if err != nil {
		return stepOutput{}, err
	}
	return g.read(out, batch)
}

// build adds gradients and update to a loss; the outputs are loss, gradient norm, parts and choices.
func (g *stepGraph) build(s *gomodel.Scope, scalars []*graph.Node, loss Loss) []*graph.Node {
	restore := freezeUnreached(s, loss.Total)
	defer restore()
	gradients := s.BuildTrainableVariablesGradientsGraph(loss.Total)
	if len(gradients) == 0 {
		panic(errors.New("train.Step: the loss depends on no weight"))
	}
	if g.phase != phaseOnly {
		gradients = accumulated(s, g.phase, gradients, scalars[0])
	}
	norm := graph.ScalarZero(loss.Total.Graph(), loss.Total.DType())
	if g.phase.updates() {
		norm = globalNorm(gradients)
		g.step.optimizer.Update(s, clipped(gradients, norm, g.step.clip), scalars[1], scalars[2])
	}
	outputs := []*graph.Node{loss.Total, norm}
	g.parts = nil
	for _, part := range loss.Parts {
		g.parts = append(g.parts, part.Name)
		outputs = append(outputs, part.Value)
	}
	if g.choices = loss.Choices != nil; g.choices {
		outputs = append(outputs, loss.Choices)
	}
	return outputs
}

// read takes the numbers out of the outputs and frees them.
func (g *stepGraph) read(out []*tensors.Tensor, batch *Batch) (stepOutput, error) {
	defer func() {
		for _, t := range out {
			t.FinalizeAll()
		}
	}()
	numbers := make([]float64, 2+len(g.parts))
	for i := range numbers {
		value, ok := out[i].Value().(float32)
		if !ok {
			return stepOutput{}, fmt.Errorf("a loss is %s, want a float32 scalar", out[i].Shape())
		}
		numbers[i] = float64(value)
	}
	o := stepOutput{loss: numbers[0], norm: numbers[1], parts: map[string]float64{}}
	for i, name := range g.parts {
		if !slices.Contains(batch.Unlabelled, name) {
			o.parts[name] = numbers[2+i]
		}
	}
	if g.choices {
		var err error
		if o.choices, err = tensors.CopyFlatData[int32](out[len(numbers)]); err != nil {
			return o, err
		}
	}
	return o, nil
}
