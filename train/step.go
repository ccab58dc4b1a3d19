// Package train teaches LXMERT. A training step is the loss, its gradient and the optimiser's update, compiled as one graph ([Step]);
// a [Trainer] makes step after step, and writes down how it went and where it was, so that a run that was killed goes on as if nothing had been.
package train

import (
	"errors"
	"fmt"
	"slices"
	"time"

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
	// Seed is that of the batch's dropout; nil: the model's random numbers go on where they are.
	Seed *int64
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
	graphs    map[string]*stepGraph   // by phase and the names of the inputs
	updates   map[string]*updateGraph // by the weights
	// ranks divide the parts of a step among them; narrow says that they send gradients as bfloat16.
	ranks  Reducer
	narrow bool
	// replicas are on the devices among which a rank divides its parts; nil: there is one device.
	replicas *replicas
	sums     map[string]program // over devices, by the weights
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
	return &Step{model: m, objective: objective, optimizer: optimizer, clip: clip,
		graphs: map[string]*stepGraph{}, updates: map[string]*updateGraph{}, ranks: alone{}, sums: map[string]program{}}, nil
}

// Over divides steps among ranks: each gives [Step.Run] its own batches, as many as every other, and all come to the same weights. nil is a
// world of one. bfloat16 sends gradients in half as many bytes, and rounds what is sent and its sum to 8 bits each.
func (s *Step) Over(ranks Reducer, bfloat16 bool) { s.ranks, s.narrow = orAlone(ranks), bfloat16 }

// Result is what a step found before it changed the weights; with several batches the means.
type Result struct {
	Loss         float64
	Parts        map[string]float64 // of the loss, by name; none for which no batch had a label
	GradientNorm float64            // of all gradients together, before clipping
	Choices      []int32            // what the model would have answered to each example; nil if the objective does not say
	// Waiting is how many seconds this rank waited until all had their gradients, Reducing how many went by adding them up; 0 on one rank.
	Waiting, Reducing float64
}

// Run makes one step: the gradients of all batches, those of other ranks included, are averaged, as if they were one batch that is too
// large for the memory. number is the step's, from 1, and rate its learning rate. Each new combination of shapes compiles a graph.
func (s *Step) Run(rate float64, number int, batches ...*Batch) (Result, error) {
	return s.run(rate, number, batches, nil)
}

// run is Run by a rank that has failed before: it tells the others, and all have the same error.
func (s *Step) run(rate float64, number int, batches []*Batch, failed error) (Result, error) {
	var mine rankOutput
	var weights []string
	if failed == nil {
		mine, weights, failed = s.gradients(rate, number, batches)
	}
	computed := time.Now()
	all, err := Confer(s.ranks, mine, failed)
	if err != nil {
		return Result{}, err
	}
	r, err := merged(all)
	if err != nil {
		return Result{}, err
	}
	if len(all) > 1 {
		r.Waiting = time.Since(computed).Seconds()
	}
	if len(all) == 1 && len(batches) == s.devices() {
		return r, nil // whose graph has made the update
	}
	summing := time.Now()
	if err := s.sum(weights); err != nil {
		return Result{}, err
	}
	if len(all) > 1 {
		r.Reducing = time.Since(summing).Seconds()
	}
	if s.updates[mine.Trained] == nil {
		s.updates[mine.Trained] = &updateGraph{step: s, weights: weights}
	}
	err = s.model.Update(func() (err error) {
		r.GradientNorm, err = s.updates[mine.Trained].run(rate, number)
		return err
	})
	return r, err
}

// rankOutput is what a rank found in its batches.
type rankOutput struct {
	Outputs []stepOutput
	Trained string // a hash of which weights have a gradient
}

// gradients computes those of this rank's batches, and gives the paths of the weights that have one.
func (s *Step) gradients(rate float64, number int, batches []*Batch) (found rankOutput, weights []string, err error) {
	if len(batches) == 0 || number < 1 {
		return found, nil, errors.New("train.Step.Run wants a batch, and the step's number from 1 on")
	}
	for _, batch := range batches {
		if batch == nil || batch.Inputs == nil {
			return found, nil, errors.New("train.Step.Run wants batches with inputs")
		}
	}
	rounds, err := s.rounds(batches)
	if err != nil {
		return found, nil, err
	}
	parts := len(batches) * s.ranks.Size()
	found.Outputs = make([]stepOutput, len(batches))
	for i, round := range rounds {
		p := phaseNext
		switch {
		case parts == len(round):
			p = phaseOnly
		case i == 0:
			p = phaseFirst
		}
		g := s.graph(p, round[0])
		var out []stepOutput
		err := s.model.Update(func() (err error) {
			out, err = g.run(rate, number, 1/float64(parts), round)
			return err
		})
		if err != nil {
			return found, nil, err
		}
		if i > 0 && g.trained != found.Trained {
			return found, nil, fmt.Errorf("part %d of the step has gradients for other weights than those before it: the parts of a step want the same inputs", i+1)
		}
		for device := range out {
			found.Outputs[device*len(rounds)+i] = out[device]
		}
		found.Trained, weights = g.trained, g.weights
	}
	return found, weights, nil
}

// merged makes the means over all parts, in their order.
func merged(all []rankOutput) (Result, error) {
	var r Result
	means := map[string]*mean{}
	share := 1 / float64(len(all)*len(all[0].Outputs))
	for rank, found := range all {
		if len(found.Outputs) != len(all[0].Outputs) || found.Trained != all[0].Trained {
			return r, fmt.Errorf("rank %d computed %d parts of the step, rank 0 %d, or it has gradients for other weights: all ranks want the same inputs",
				rank, len(found.Outputs), len(all[0].Outputs))
		}
		for _, out := range found.Outputs {
			r.Loss += share * out.Loss
			r.GradientNorm = out.Norm
			r.Choices = append(r.Choices, out.Choices...)
			for name, value := range out.Parts {
				if means[name] == nil {
					means[name] = &mean{}
				}
				means[name].add(value)
			}
		}
	}
	r.Parts = make(map[string]float64, len(means))
	for name, m := range means {
		r.Parts[name] = m.value()
	}
	return r, nil
}

// sum adds up the gradients of all devices and of all ranks.
func (s *Step) sum(weights []string) error {
	return s.model.Update(func() error {
		if err := s.sumOverDevices(weights); err != nil || s.ranks.Size() == 1 {
			return err
		}
		defer s.forgetAccumulated(weights)
		values, err := accumulatedValues(s.model.Store(), slices.Sorted(slices.Values(weights)))
		if err != nil {
			return err
		}
		if err := sumOverRanks(s.ranks, s.narrow, values); err != nil {
			return lostError{err}
		}
		return nil
	})
}

// Close frees the compiled graphs; the weights stay.
func (s *Step) Close() {
	for _, g := range s.graphs {
		if g.program != nil {
			g.program.close()
		}
	}
	for _, g := range s.updates {
		if g.program != nil {
			g.program.close()
		}
	}
	for _, p := range s.sums {
		p.close()
	}
	clear(s.graphs)
	clear(s.updates)
	clear(s.sums)
	if s.replicas != nil {
		s.replicas.close()
	}
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
