package model

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// An AttentionKind says who looks at whom, in which encoder.
type AttentionKind string

// The kinds of attention. A cross-modality layer has four of them; the reference returns only the first of those.
const (
	LanguageAttention          AttentionKind = "language"            // tokens look at tokens, language layers
	RegionAttention            AttentionKind = "region"              // regions look at regions, object-relationship layers
	CrossLanguageAttention     AttentionKind = "cross_language"      // tokens look at regions, cross-modality layers
	CrossRegionAttention       AttentionKind = "cross_region"        // regions look at tokens, cross-modality layers
	CrossSelfLanguageAttention AttentionKind = "cross_self_language" // tokens look at tokens, cross-modality layers
	CrossSelfRegionAttention   AttentionKind = "cross_self_region"   // regions look at regions, cross-modality layers
)

// TokenQueries and TokenKeys say whether it is tokens that look, and tokens that are looked at; else regions.
func (k AttentionKind) TokenQueries() bool {
	return k == LanguageAttention || k == CrossLanguageAttention || k == CrossSelfLanguageAttention
}

// TokenKeys is described with [AttentionKind.TokenQueries].
func (k AttentionKind) TokenKeys() bool {
	return k == LanguageAttention || k == CrossRegionAttention || k == CrossSelfLanguageAttention
}

// AttentionName is the place of an attention in the network.
type AttentionName struct {
	Kind  AttentionKind
	Layer int // from 0, in its encoder
}

// String is KIND.LAYER: language.0, cross_self_region.4.
func (n AttentionName) String() string { return string(n.Kind) + "." + strconv.Itoa(n.Layer) }

// Attentions are what there is for every attention of the network, [batch, heads, queries, keys] each: its probabilities, or a gradient.
type Attentions[T Value] struct {
	Language []T                  // language layers: [batch, heads, tokens, tokens]
	Region   []T                  // object-relationship layers: [batch, heads, regions, regions]
	Cross    []CrossAttentions[T] // cross-modality layers
}

// CrossAttentions are the four attentions of a cross-modality layer.
type CrossAttentions[T Value] struct {
	Language     T // [batch, heads, tokens, regions]
	Region       T // [batch, heads, regions, tokens]; its weights are those of Language
	SelfLanguage T // [batch, heads, tokens, tokens]
	SelfRegion   T // [batch, heads, regions, regions]
}

// All visits the attentions in the order in which they are computed: language layers, object-relationship layers, cross-modality layers.
func (a *Attentions[T]) All() iter.Seq2[AttentionName, T] {
	return func(yield func(AttentionName, T) bool) {
		for name, place := range a.places() {
			if !yield(name, *place) {
				return
			}
		}
	}
}

// places are the attentions by name, to read or to fill in.
func (a *Attentions[T]) places() iter.Seq2[AttentionName, *T] {
	return func(yield func(AttentionName, *T) bool) {
		for i := range a.Language {
			if !yield(AttentionName{LanguageAttention, i}, &a.Language[i]) {
				return
			}
		}
		for i := range a.Region {
			if !yield(AttentionName{RegionAttention, i}, &a.Region[i]) {
				return
			}
		}
		for i := range a.Cross {
			x := &a.Cross[i]
			if !yield(AttentionName{CrossLanguageAttention, i}, &x.Language) ||
				!yield(AttentionName{CrossRegionAttention, i}, &x.Region) ||
				!yield(AttentionName{CrossSelfLanguageAttention, i}, &x.SelfLanguage) ||
				!yield(AttentionName{CrossSelfRegionAttention, i}, &x.SelfRegion) {
				return
			}
		}
	}
}

// newAttentions has a place for each attention of the network.
func newAttentions[T Value](language, region, cross int) Attentions[T] {
	return Attentions[T]{make([]T, language), make([]T, region), make([]CrossAttentions[T], cross)}
}

// same is an Attentions with as many places.
func same[T, U Value](a *Attentions[T]) Attentions[U] {
	return newAttentions[U](len(a.Language), len(a.Region), len(a.Cross))
}

// AttentionOutput is what [Network.Attend] gives.
type AttentionOutput[T Value] struct {
	// QuestionAnsweringScore [batch, answers] are logits.
	QuestionAnsweringScore T
	// Target [batch], int32, is the answer of each example whose logit the gradients are of.
	Target T
	// Probabilities are those after softmax and mask, Gradients the derivatives of the target's logit by them. What cannot reach the answer has a
	// gradient of 0: the last cross-modality layer's Region and SelfRegion.
	Probabilities, Gradients Attentions[T]
}

// BestAnswer as a target is the answer that the model gives.
const BestAnswer = -1

// Attend runs the encoders and the answer head, and returns every attention of the network with its gradient of one answer's logit: targets
// has an answer's id for each example, or [BestAnswer]; nil is the best of each. There is no dropout. It is what explanations are made
// of (package explain).
//
// The model must have an answer head ([ErrNoAnswerHead]): [HeadQuestionAnswering], or [HeadPreTraining] with task_qa. Inputs are checked as Forward
// checks them; labels are refused. One picture for several questions gets attentions for each of them.
func (n *Network) Attend(ctx context.Context, in *Batch, targets []int) (*AttentionOutput[*tensors.Tensor], error) {
	if n.head != HeadQuestionAnswering && !(n.head == HeadPreTraining && n.Config().TaskQA) {
		return nil, ErrNoAnswerHead
	}
	in, err := n.withTargets(in, targets)
	if err != nil {
		return nil, err
	}
	build := func(s *model.Scope, in *Inputs[*Node]) record[*AttentionOutput[*tensors.Tensor]] {
		return (*attentionNodes)(n.config.attended(s, in))
	}
	return forward(ctx, n, HeadQuestionAnswering, in, Options{Attentions: true, watched: true}, build)
}

// withTargets is the batch with the targets in the place of its labels, where [IgnoreLabel] means the best.
func (n *Network) withTargets(in *Batch, targets []int) (*Batch, error) {
	if in == nil {
		return nil, errors.New("no inputs")
	}
	for name := range in.Given() {
		if isLabel(name) {
			return nil, fmt.Errorf("%s: attentions are explained by an answer, not by labels; leave it out", name)
		}
	}
	if !slices.ContainsFunc(targets, func(id int) bool { return id != BestAnswer }) {
		targets = nil // so that there is one graph for the best
	}
	if targets == nil {
		return in, nil
	}
	if words := in.words(); words != nil && words.Rank() > 0 && words.Shape().Dim(0) != len(targets) {
		return nil, fmt.Errorf("found %d targets for a batch of %d", len(targets), words.Shape().Dim(0))
	}
	answers := n.Config().NumQALabels
	labels := make([]int32, len(targets))
	for i, id := range targets {
		if id < BestAnswer || id >= answers {
			return nil, fmt.Errorf("target %d: found answer %d, want 0..%d, or %d for the best", i, id, answers-1, BestAnswer)
		}
		labels[i] = int32(id)
		if id == BestAnswer {
			labels[i] = IgnoreLabel
		}
	}
	with := *in
	with.Labels = tensors.FromFlatDataAndDimensions(labels, len(labels))
	return &with, nil
}

// attended builds the graph of [Network.Attend]; the targets are in the place of labels.
func (c *Config) attended(s *model.Scope, in *Inputs[*Node]) *AttentionOutput[*Node] {
	apart := *in // examples that share a picture have gradients of their own
	for _, x := range []**Node{&apart.VisualFeats, &apart.VisualPos, &apart.VisualAttentionMask} {
		*x = forAll(*x, in.words().Shape().Dim(0))
	}
	out := &AttentionOutput[*Node]{Probabilities: newAttentions[*Node](c.LanguageLayers, c.VisionLayers, c.CrossLayers)}
	seen := map[AttentionName]*Node{}
	opt := Options{Attentions: true, watched: true}
	base := c.encode(s.In("lxmert"), &apart, opt, false, func(name AttentionName, probabilities *Node) { seen[name] = probabilities })
	out.QuestionAnsweringScore = c.answerHead(s.In("answer_head"), base.PooledOutput)

	out.Target = StopGradient(ArgMax(out.QuestionAnsweringScore, -1, dtypes.Int32))
	if targets := in.Labels; targets != nil {
		best := Equal(targets, Scalar(targets.Graph(), targets.DType(), IgnoreLabel))
		out.Target = Where(best, out.Target, targets)
	}
	chosen := OneHot(out.Target, c.NumQALabels, out.QuestionAnsweringScore.DType())
	logit := ReduceAllSum(Mul(chosen, out.QuestionAnsweringScore)) // of examples that do not touch each other

	var nodes []*Node
	for name, place := range out.Probabilities.places() {
		*place = seen[name]
		nodes = append(nodes, *place)
	}
	gradients := Gradient(logit, nodes...)
	out.Gradients = same[*Node, *Node](&out.Probabilities)
	for _, place := range out.Gradients.places() {
		*place, gradients = gradients[0], gradients[1:]
	}
	return out
}

// A watcher sees the probabilities of every attention as the graph is built. Nil is nobody.
type watcher func(AttentionName, *Node)

func (w watcher) see(kind AttentionKind, layer int, probabilities *Node) {
	if w != nil {
		w(AttentionName{kind, layer}, probabilities)
	}
}

// layer is see for one layer.
func (w watcher) layer(i int) func(AttentionKind, *Node) {
	return func(kind AttentionKind, probabilities *Node) { w.see(kind, i, probabilities) }
}

type attentionNodes AttentionOutput[*Node]

func (o *attentionNodes) convert(value func(*Node) *tensors.Tensor) *AttentionOutput[*tensors.Tensor] {
	return &AttentionOutput[*tensors.Tensor]{
		QuestionAnsweringScore: value(o.QuestionAnsweringScore),
		Target:                 value(o.Target),
		Probabilities:          convertAttentions(&o.Probabilities, value),
		Gradients:              convertAttentions(&o.Gradients, value),
	}
}

func convertAttentions(nodes *Attentions[*Node], value func(*Node) *tensors.Tensor) Attentions[*tensors.Tensor] {
	values := same[*Node, *tensors.Tensor](nodes)
	converted := make([]*tensors.Tensor, 0)
	for _, node := range nodes.All() {
		converted = append(converted, value(node))
	}
	for _, place := range values.places() {
		*place, converted = converted[0], converted[1:]
	}
	return values
}
