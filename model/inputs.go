package model

import (
	"iter"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// A Value is what the records of this package hold: tensors outside a graph, nodes inside.
type Value interface {
	*tensors.Tensor | *graph.Node
}

// Inputs is everything a model reads, under the reference's argument names. What is nil
// is absent. Integers may be int32 or int64, masks also bool or float32.
type Inputs[T Value] struct {
	// InputIDs [batch, tokens] are word pieces. Exactly one of InputIDs and InputsEmbeds is given.
	InputIDs T
	// InputsEmbeds [batch, tokens, hidden] replaces the word embedding (and only that).
	InputsEmbeds T
	// TokenTypeIDs [batch, tokens]; absent: all 0.
	TokenTypeIDs T
	// AttentionMask [batch, tokens] is 1 where a token may be looked at, 0 where not. As in the
	// reference any number below 1 masks: 0.999 does so as firmly as 0. Absent: all 1.
	AttentionMask T
	// VisualFeats [batch, regions, visual_feat_dim] and VisualPos [batch, regions, visual_pos_dim]
	// are compulsory. VisualPos is usually a box, x1 y1 x2 y2 in 0..1. For question answering one
	// picture (batch 1, its mask too) may serve a batch of questions: it is then encoded once.
	// For NLVR2 they have an axis more, for the two pictures: [batch, 2, regions, ...], and so has their mask.
	VisualFeats T
	VisualPos   T
	// VisualAttentionMask [batch, regions] ([batch, 2, regions] for NLVR2) is AttentionMask's twin; absent: nothing is masked.
	VisualAttentionMask T

	// Labels is, for pre-training, the masked words [batch, tokens]; for question answering,
	// the answers [batch]; for NLVR2 whether the statements are true, 1 or 0 [batch]. As in every integer label
	// here, -100 means no label.
	Labels T
	// ObjLabels are the targets of masked-object prediction.
	ObjLabels *ObjLabels[T]
	// MatchedLabel [batch] is 1 where sentence and picture belong together, else 0.
	MatchedLabel T
	// Ans [batch] is the answer, for pre-training.
	Ans T
}

// ObjLabels holds the targets of masked-object prediction (§3.1.2): a label and a
// confidence that weighs it, for each kind. The reference's obj_labels dictionary.
type ObjLabels[T Value] struct {
	// Obj and Attr labels are classes [batch, regions], Feat labels are features [batch, regions,
	// visual_feat_dim].
	Obj, Attr, Feat ObjLabel[T]
}

// ObjLabel is one entry of obj_labels; Conf is [batch, regions].
type ObjLabel[T Value] struct {
	Label, Conf T
}

// inputField is one input under its name; the name is the reference's argument, and what a
// forward pass reads from a safetensors file.
type inputField[T Value] struct {
	name  string
	value *T
}

// fields lists every input in a fixed order.
func (in *Inputs[T]) fields() []inputField[T] {
	list := []inputField[T]{
		{"input_ids", &in.InputIDs},
		{"inputs_embeds", &in.InputsEmbeds},
		{"token_type_ids", &in.TokenTypeIDs},
		{"attention_mask", &in.AttentionMask},
		{"visual_feats", &in.VisualFeats},
		{"visual_pos", &in.VisualPos},
		{"visual_attention_mask", &in.VisualAttentionMask},
		{"labels", &in.Labels},
		{"matched_label", &in.MatchedLabel},
		{"ans", &in.Ans},
	}
	if in.ObjLabels != nil {
		for _, kind := range []struct {
			key   string
			label *ObjLabel[T]
		}{{"obj", &in.ObjLabels.Obj}, {"attr", &in.ObjLabels.Attr}, {"feat", &in.ObjLabels.Feat}} {
			list = append(list,
				inputField[T]{"obj_labels." + kind.key + ".label", &kind.label.Label},
				inputField[T]{"obj_labels." + kind.key + ".conf", &kind.label.Conf})
		}
	}
	return list
}

// words are the inputs of the language stream: ids, or embeddings in their place; nil if there are neither.
func (in *Inputs[T]) words() T {
	if in.InputIDs != nil {
		return in.InputIDs
	}
	return in.InputsEmbeds
}

// Set assigns an input by its name: the reference's argument name, or
// obj_labels.KEY.label and obj_labels.KEY.conf with KEY obj, attr or feat.
// It reports whether there is such an input.
func (in *Inputs[T]) Set(name string, value T) bool {
	obj := in.ObjLabels
	if obj == nil {
		in.ObjLabels = &ObjLabels[T]{}
	}
	for _, field := range in.fields() {
		if field.name == name {
			*field.value = value
			if obj == nil && *in.ObjLabels == (ObjLabels[T]{}) {
				in.ObjLabels = nil
			}
			return true
		}
	}
	in.ObjLabels = obj
	return false
}

// Nodes prepares a batch for a graph of one's own: the arguments for its executor, and a function that
// puts the graph's nodes for them back under their names.
//
//	args, assemble := batch.Nodes()
//	exec, err := model.NewExec(backend, store, func(s *model.Scope, nodes []*graph.Node) *graph.Node {
//		return config.PreTraining(s, assemble(nodes), Options{}).Loss
//	})
//	loss, err := exec.Call(args...)
func (in *Inputs[T]) Nodes() (args []any, assembler func([]*graph.Node) *Inputs[*graph.Node]) {
	names, args := in.given()
	return args, func(nodes []*graph.Node) *Inputs[*graph.Node] { return assemble(names, nodes) }
}

// Given visits the inputs that are there, under their names, in a fixed order.
func (in *Inputs[T]) Given() iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, field := range in.fields() {
			if *field.value != nil && !yield(field.name, *field.value) {
				return
			}
		}
	}
}

// given lists the inputs that are there.
func (in *Inputs[T]) given() (names []string, args []any) {
	for name, value := range in.Given() {
		names = append(names, name)
		args = append(args, value)
	}
	return names, args
}

// assemble puts nodes under their names.
func assemble(names []string, nodes []*graph.Node) *Inputs[*graph.Node] {
	in := &Inputs[*graph.Node]{}
	for i, name := range names {
		in.Set(name, nodes[i])
	}
	return in
}
