package train

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"
)

// phase is a part's place in a step.
type phase int

const (
	phaseOnly  phase = iota // gradient and update
	phaseFirst              // its gradient is kept
	phaseNext               // its gradient is added
)

// stepGraph is the graph of one phase, for batches with the same inputs.
type stepGraph struct {
	step    *Step
	phase   phase
	program program
	parts   []string // names, in the order of the outputs
	// choices says whether the objective does.
	choices bool
	// weights are the paths of those that have a gradient, in order; trained is a hash of them.
	weights []string
	trained string
}

// stepOutput is what a graph found. Its fields are told to other ranks.
type stepOutput struct {
	Loss, Norm float64
	Parts      map[string]float64
	Choices    []int32
}

// run executes the graph on a batch for each device. The model's lock is held.
func (g *stepGraph) run(rate float64, number int, share float64, batches []*Batch) ([]stepOutput, error) {
	scalars := []any{float32(share)}
	if g.phase == phaseOnly {
		scalars = append(scalars, float32(rate), float32(number))
	}
	var inputs [][]any
	var seeds []*int64
	for _, batch := range batches {
		args, _ := batch.Inputs.Nodes()
		if batch.Target != nil {
			args = append(args, batch.Target)
		}
		inputs, seeds = append(inputs, slices.Concat(scalars, args)), append(seeds, batch.Seed)
	}
	if g.program == nil {
		batch := batches[0]
		_, assemble := batch.Inputs.Nodes()
		program, err := g.step.program(func(s *gomodel.Scope, nodes []*graph.Node) []*graph.Node {
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
			return nil, err
		}
		g.program = program
	}
	out, err := g.program.call(inputs, seeds)
	if err != nil {
		return nil, err
	}
	found := make([]stepOutput, len(batches))
	for i, batch := range batches {
		var failed error
		if found[i], failed = g.read(out[i], batch); failed != nil {
			err = failed
		}
	}
	return found, err
}

// build adds gradients, and what becomes of them, to a loss; the outputs are loss, gradient norm, parts and choices.
func (g *stepGraph) build(s *gomodel.Scope, scalars []*graph.Node, loss Loss) []*graph.Node {
	restore := freezeUnreached(s, loss.Total)
	defer restore()
	gradients := s.BuildTrainableVariablesGradientsGraph(loss.Total)
	if len(gradients) == 0 {
		panic(errors.New("train.Step: the loss depends on no weight"))
	}
	g.weights = nil
	for weight := range trained(s, loss.Total.Graph()) {
		g.weights = append(g.weights, weight.Path())
	}
	g.trained = fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(g.weights, "\n"))))
	norm := graph.ScalarZero(loss.Total.Graph(), loss.Total.DType())
	if g.phase == phaseOnly {
		norm = g.step.update(s, g.step.overDevices(gradients, scalars[0]), scalars[1], scalars[2])
	} else {
		accumulate(s, g.phase == phaseFirst, gradients, scalars[0])
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
	o := stepOutput{Loss: numbers[0], Norm: numbers[1], Parts: map[string]float64{}}
	for i, name := range g.parts {
		if !slices.Contains(batch.Unlabelled, name) {
			o.Parts[name] = numbers[2+i]
		}
	}
	if g.choices {
		var err error
		if o.Choices, err = tensors.CopyFlatData[int32](out[len(numbers)]); err != nil {
			return o, err
		}
	}
	return o, nil
}
