// Package train teaches LXMERT: a training step is the loss, its gradient, and the optimiser's update, compiled as one
// graph.
package train

import (
	"errors"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/model"
)

// Loss builds the loss of one batch, a scalar, in a graph over the model's weights. inputs are what is given to
// [Step.Run].
type Loss func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node

// Optimizer updates weights, given the gradient of each by the loss, in the order of scope's trainable variables that the graph uses.
// A weight that the loss does not depend on has no gradient and is not trainable meanwhile: it stays as it is.
// GoMLX's optimisers are of this kind.
type Optimizer interface {
	UpdateGraphWithGradients(scope *gomodel.Scope, gradients []*graph.Node, lossDType dtype)
}

// Step is one training step on a model. It is not safe for concurrent use.
type Step struct {
	exec *gomodel.Exec
}

// NewStep makes a training step. clip is the largest norm that all gradients together may have; 0 means any.
func NewStep(m *model.Network, loss Loss, optimizer Optimizer, clip float64) (*Step, error) {
	if m == nil || loss == nil || optimizer == nil || clip < 0 {
		return nil, errors.New("train.NewStep wants a model, a loss, an optimiser and a clip of 0 or more")
	}
	exec, err := gomodel.NewExec(m.Backend(), m.Store(), func(s *gomodel.Scope, inputs []*graph.Node) (value, norm *graph.Node) {
		g := inputs[0].Graph()
		s.Store().SetTraining(g, true)
		value = loss(s, inputs)
		restore := freezeUnreached(s, value)
		defer restore()
		gradients := s.BuildTrainableVariablesGradientsGraph(value)
		if len(gradients) == 0 {
			panic(errors.New("train.Step: the loss depends on no weight"))
		}
		norm = globalNorm(gradients)
		optimizer.UpdateGraphWithGradients(s, clipped(gradients, norm, clip), value.DType())
		return value, norm
	})
	if err != nil {
		return nil, err
	}
	return &Step{exec: exec}, nil
}

// Result is what a step found before it changed the weights.
type Result struct {
	Loss         float32
	GradientNorm float32 // of all gradients together, before clipping
}

// Run makes one step. inputs are what the loss reads; each new combination of their shapes compiles a graph.
func (s *Step) Run(inputs ...any) (Result, error) {
	if len(inputs) == 0 {
		return Result{}, errors.New("train.Step.Run wants inputs")
	}
	out, err := s.exec.Call(inputs...)
	if err != nil {
		return Result{}, err
	}
	value, err := scalar(out[0])
	if err != nil {
		return Result{}, fmt.Errorf("loss: %w", err)
	}
	norm, err := scalar(out[1])
	return Result{Loss: value, GradientNorm: norm}, err
}

// Close frees the compiled graphs; the weights stay.
func (s *Step) Close() { s.exec.Finalize() }

// scalar takes the number out of a tensor and frees it.
func scalar(t *tensors.Tensor) (float32, error) {
	defer t.FinalizeAll()
	v, ok := t.Value().(float32)
	if !ok {
		return 0, fmt.Errorf("found %s, want a float32 scalar", t.Shape())
	}
	return v, nil
}
