package model

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A record of nodes describes a compiled graph's outputs; the conversions below walk it in
// one fixed order, so that collecting its nodes and filling in the tensors that
// came of them cannot get out of step.

// record is an output record of nodes: its conversion visits every node.
type record[Out any] interface {
	convert(value func(*graph.Node) *tensors.Tensor) Out
}

// collect lists a record's nodes in the order of its conversion.
func collect[Out any](r record[Out]) []*graph.Node {
	var nodes []*graph.Node
	r.convert(func(n *graph.Node) *tensors.Tensor {
		nodes = append(nodes, n)
		return nil
	})
	return nodes
}

// fill makes the record of tensors that has values where r has nodes.
func fill[Out any](r record[Out], values []*tensors.Tensor) Out {
	return r.convert(func(*graph.Node) *tensors.Tensor {
		value := values[0]
		values = values[1:]
		return value
	})
}

// present keeps absent outputs absent.
func present(value func(*graph.Node) *tensors.Tensor) func(*graph.Node) *tensors.Tensor {
	return func(n *graph.Node) *tensors.Tensor {
		if n == nil {
			return nil
		}
		return value(n)
	}
}

func (o *modelNodes) convert(value func(*graph.Node) *tensors.Tensor) *ModelOutput[*tensors.Tensor] {
	value = present(value)
	return &ModelOutput[*tensors.Tensor]{
		LanguageOutput: value(o.LanguageOutput),
		VisionOutput:   value(o.VisionOutput),
		PooledOutput:   value(o.PooledOutput),
		States:         convertStates(&o.States, value),
	}
}

func (o *preTrainingNodes) convert(value func(*graph.Node) *tensors.Tensor) *PreTrainingOutput[*tensors.Tensor] {
	value = present(value)
	return &PreTrainingOutput[*tensors.Tensor]{
		Loss: value(o.Loss),
		Losses: Losses[*tensors.Tensor]{
			MaskedLM:  value(o.Losses.MaskedLM),
			Matched:   value(o.Losses.Matched),
			Object:    value(o.Losses.Object),
			Attribute: value(o.Losses.Attribute),
			Feature:   value(o.Losses.Feature),
			Answer:    value(o.Losses.Answer),
		},
		PredictionLogits:       value(o.PredictionLogits),
		CrossRelationshipScore: value(o.CrossRelationshipScore),
		QuestionAnsweringScore: value(o.QuestionAnsweringScore),
		States:                 convertStates(&o.States, value),
	}
}

func (o *questionAnsweringNodes) convert(value func(*graph.Node) *tensors.Tensor) *QuestionAnsweringOutput[*tensors.Tensor] {
	value = present(value)
	return &QuestionAnsweringOutput[*tensors.Tensor]{
		Loss:                   value(o.Loss),
		QuestionAnsweringScore: value(o.QuestionAnsweringScore),
		States:                 convertStates(&o.States, value),
	}
}

func (o *nlvr2Nodes) convert(value func(*graph.Node) *tensors.Tensor) *NLVR2Output[*tensors.Tensor] {
	value = present(value)
	return &NLVR2Output[*tensors.Tensor]{
		Loss:   value(o.Loss),
		Logits: value(o.Logits),
		States: convertStates(&o.States, value),
	}
}

func convertStates(s *States[*graph.Node], value func(*graph.Node) *tensors.Tensor) States[*tensors.Tensor] {
	all := func(nodes []*graph.Node) []*tensors.Tensor {
		var values []*tensors.Tensor
		for _, n := range nodes {
			values = append(values, value(n))
		}
		return values
	}
	return States[*tensors.Tensor]{
		LanguageHiddenStates:   all(s.LanguageHiddenStates),
		VisionHiddenStates:     all(s.VisionHiddenStates),
		LanguageAttentions:     all(s.LanguageAttentions),
		VisionAttentions:       all(s.VisionAttentions),
		CrossEncoderAttentions: all(s.CrossEncoderAttentions),
	}
}

// The output records with nodes in them.
type (
	modelNodes             ModelOutput[*graph.Node]
	preTrainingNodes       PreTrainingOutput[*graph.Node]
	questionAnsweringNodes QuestionAnsweringOutput[*graph.Node]
	nlvr2Nodes             NLVR2Output[*graph.Node]
)
