package model

import (
	"context"
	"errors"
	"iter"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// LxmertModel is the three encoders and the pooler, the reference's class of that name.
type LxmertModel struct{ *Network }

// LxmertForPreTraining adds the pre-training heads, the reference's class of that name.
type LxmertForPreTraining struct{ *Network }

// LxmertForQuestionAnswering adds the answer head, the reference's class of that name.
type LxmertForQuestionAnswering struct{ *Network }

// LxmertForNLVR2 adds the head that says whether a statement about two pictures is true: the original repository's
// NLVR2Model. Hugging Face's library has no such class.
type LxmertForNLVR2 struct{ *Network }

// NewLxmertModel is [New] with [HeadModel].
func NewLxmertModel(backend compute.Backend, c *Config, source Source) (*LxmertModel, error) {
	n, err := New(backend, c, HeadModel, source)
	if err != nil {
		return nil, err
	}
	return &LxmertModel{n}, nil
}

// NewLxmertForPreTraining is [New] with [HeadPreTraining].
func NewLxmertForPreTraining(backend compute.Backend, c *Config, source Source) (*LxmertForPreTraining, error) {
	n, err := New(backend, c, HeadPreTraining, source)
	if err != nil {
		return nil, err
	}
	return &LxmertForPreTraining{n}, nil
}

// NewLxmertForQuestionAnswering is [New] with [HeadQuestionAnswering].
func NewLxmertForQuestionAnswering(backend compute.Backend, c *Config, source Source) (*LxmertForQuestionAnswering, error) {
	n, err := New(backend, c, HeadQuestionAnswering, source)
	if err != nil {
		return nil, err
	}
	return &LxmertForQuestionAnswering{n}, nil
}

// NewLxmertForNLVR2 is [New] with [HeadNLVR2].
func NewLxmertForNLVR2(backend compute.Backend, c *Config, source Source) (*LxmertForNLVR2, error) {
	n, err := New(backend, c, HeadNLVR2, source)
	if err != nil {
		return nil, err
	}
	return &LxmertForNLVR2{n}, nil
}

// Forward runs the encoders. The inputs are checked first, see [Config.CheckInputs]. When ctx ends
// it returns ctx's error at once; a computation already begun ends in the background: with the operation under way on engine simd, with
// the whole pass on others.
func (m *LxmertModel) Forward(ctx context.Context, in *Batch, opt Options) (*ModelOutput[*tensors.Tensor], error) {
	return forward(ctx, m.Network, HeadModel, in, opt, func(s *model.Scope, in *Inputs[*graph.Node]) record[*ModelOutput[*tensors.Tensor]] {
		return (*modelNodes)(m.config.Model(s, in, opt))
	})
}

// Forward runs encoders and heads, and the losses of the labels given; see [LxmertModel.Forward].
func (m *LxmertForPreTraining) Forward(ctx context.Context, in *Batch, opt Options) (*PreTrainingOutput[*tensors.Tensor], error) {
	return forward(ctx, m.Network, HeadPreTraining, in, opt, func(s *model.Scope, in *Inputs[*graph.Node]) record[*PreTrainingOutput[*tensors.Tensor]] {
		return (*preTrainingNodes)(m.config.PreTraining(s, in, opt))
	})
}

// Forward runs encoders and answer head, and the loss of labels given; see [LxmertModel.Forward].
func (m *LxmertForQuestionAnswering) Forward(ctx context.Context, in *Batch, opt Options) (*QuestionAnsweringOutput[*tensors.Tensor], error) {
	return forward(ctx, m.Network, HeadQuestionAnswering, in, opt, func(s *model.Scope, in *Inputs[*graph.Node]) record[*QuestionAnsweringOutput[*tensors.Tensor]] {
		return (*questionAnsweringNodes)(m.config.QuestionAnswering(s, in, opt))
	})
}

// Forward runs encoders and head, and the loss of labels given; see [LxmertModel.Forward].
func (m *LxmertForNLVR2) Forward(ctx context.Context, in *Batch, opt Options) (*NLVR2Output[*tensors.Tensor], error) {
	return forward(ctx, m.Network, HeadNLVR2, in, opt, func(s *model.Scope, in *Inputs[*graph.Node]) record[*NLVR2Output[*tensors.Tensor]] {
		return (*nlvr2Nodes)(m.config.NLVR2(s, in, opt))
	})
}

// Encode runs the three encoders and the pooler of a model with whatever head, and leaves the head out; see [LxmertModel.Forward]. For a model of statements
// about two pictures ([HeadNLVR2]) the inputs are as for the others here: one picture each. As in question answering one picture may serve all texts.
// Labels are of no use and refused.
func (n *Network) Encode(ctx context.Context, in *Batch, opt Options) (*ModelOutput[*tensors.Tensor], error) {
	if in != nil && in.Labels != nil {
		return nil, errors.New("labels: the encoders alone take none")
	}
	return forward(ctx, n, HeadQuestionAnswering, in, opt, func(s *model.Scope, in *Inputs[*graph.Node]) record[*ModelOutput[*tensors.Tensor]] {
		if n.head != HeadModel {
			s = s.In("lxmert")
		}
		return (*modelNodes)(n.config.Model(s, in, opt))
	})
}

// Output is any of the four output records.
type Output interface {
	// Named visits every present output under the reference's field name.
	Named() iter.Seq2[string, *tensors.Tensor]
}

// Run is the Forward of whichever class the model is.
func (n *Network) Run(ctx context.Context, in *Batch, opt Options) (Output, error) {
	switch n.head {
	case HeadPreTraining:
		return orError((&LxmertForPreTraining{n}).Forward(ctx, in, opt))
	case HeadQuestionAnswering:
		return orError((&LxmertForQuestionAnswering{n}).Forward(ctx, in, opt))
	case HeadNLVR2:
		return orError((&LxmertForNLVR2{n}).Forward(ctx, in, opt))
	default:
		return orError((&LxmertModel{n}).Forward(ctx, in, opt))
	}
}

// orError keeps a nil record from becoming an interface that is not nil.
func orError[O Output](out O, err error) (Output, error) {
	if err != nil {
		return nil, err
	}
	return out, nil
}
