// Package train teaches LXMERT. A training step is the loss, its gradient and the optimiser's update, compiled as one graph ([Step]);
// a [Trainer] makes step after step, and writes down how it went and where it was, so that a run that was killed goes on as if nothing had been.
package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/model"
)

// Batch is what a step learns from.
type Batch struct {
	Inputs *model.Batch
	Target *tensors.Tensor // what an answer loss wants, [batch, answers]; nil where the inputs hold all labels
	// Unlabelled names the parts of the loss for which this batch has no label at all; they are 0 and mean nothing.
	Unlabelled []string
}

// free gives the batch's memory back.
func (b *Batch) free() {
	for _, value := range b.Inputs.Given() {
		value.FinalizeAll()
	}
	if b.Target != nil {
		b.Target.FinalizeAll()
	}
}

// Objective builds what is to become small, in a graph over the model's weights. target is nil if the batch has none.
type Objective func(s *gomodel.Scope, in *model.Inputs[*graph.Node], target *graph.Node) Loss

// Step is one training step on a model. It is not safe for concurrent use; the model may be asked between steps.
type Step struct {
	model     *model.Network
	objective Objective
	optimizer Optimizer
	clip      float64
	graphs    map[string]*stepGraph // by phase and the names of the inputs
}

// NewStep makes a training step. clip is the largest norm that all gradients together may have; 0 means any. A model
// that is not float32 is refused ([model.ErrAnswersOnly]).
func NewStep(m *model.Network, objective Objective, optimizer Optimizer, clip float64) (*Step, error) {
	if m == nil || objective == nil || optimizer == nil || !(clip >= 0) {
		return nil, errors.New("train.NewStep wants a model, an objective, an optimiser and a clip of 0 or more")
	}
	if m.Precision() != model.Float32 {
		return nil, fmt.Errorf("train.NewStep: %w", model.ErrAnswersOnly)
	}
	return &Step{model: m, objective: objective, optimizer: optimizer, clip: clip, graphs: map[string]*stepGraph{}}, nil
}

// Result is what a step found before it changed the weights; with several batches the means.
type Result struct {
	Loss         float64
	Parts        map[string]float64 // of the loss, by name; none for which no batch had a label
	GradientNorm float64            // of all gradients together, before clipping
	Choices      []int32            // what the model would have answered to each example; nil if the objective does not say
}

// Run makes one step: the gradients of all batches are averaged, as if they were one batch that is too large for the memory. number is the
// step's, from 1, and rate its learning rate. Each new combination of shapes compiles a graph.
func (s *Step) Run(rate float64, number int, batches ...*Batch) (Result, error) {
	if len(batches) == 0 || number < 1 {
		return Result{}, errors.New("train.Step.Run wants a batch, and the step's number from 1 on")
	}
	var r Result
	means := map[string]*mean{}
	share := 1 / float64(len(batches))
	for i, batch := range batches {
		if batch == nil || batch.Inputs == nil {
			return Result{}, errors.New("train.Step.Run wants batches with inputs")
		}
		g := s.graph(phaseOf(i, len(batches)), batch)
		var out stepOutput
		err := s.model.Update(func() (err error) {
			out, err = g.run(rate, number, share, batch)
			return err
		})
		if err != nil {
			return Result{}, err
		}
		r.Loss += share * out.loss
		r.GradientNorm = out.norm
		r.Choices = append(r.Choices, out.choices...)
		for name, value := range out.parts {
			if means[name] == nil {
				means[name] = &mean{}
			}
			means[name].add(value)
		}
	}
	r.Parts = make(map[string]float64, len(means))
	for name, m := range means {
		r.Parts[name] = m.value()
	}
	return r, nil
}

// Close frees the compiled graphs; the weights stay.
func (s *Step) Close() {
	for _, g := range s.graphs {
		if g.exec != nil {
			g.exec.Finalize()
		}
	}
	clear(s.graphs)
}

// graph finds the graph for a batch, which is compiled at its first use.
func (s *Step) graph(p phase, batch *Batch) *stepGraph {
	key := fmt.Sprint(p, batch.Target != nil)
	for name := range batch.Inputs.Given() {
		key += " " + name
	}
	if s.graphs[key] == nil {
		s.graphs[key] = &stepGraph{step: s, phase: p}
	}
	return s.graphs[key]
}

// mean is a mean in the making.
type mean struct {
	Sum   float64 `json:"sum"`
	Count int     `json:"count"`
}

func (m *mean) add(x float64) { m.Sum, m.Count = m.Sum+x, m.Count+1 }

func (m *mean) value() float64 { return m.Sum / float64(m.Count) }
