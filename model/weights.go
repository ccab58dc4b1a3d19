package model

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// ErrNoAnswerHead is the answer of a model without an answer head to questions about it.
var ErrNoAnswerHead = errors.New("this model has no answer head")

// Weights visits every weight under its Hugging Face name, in the order of [Declare]; none of a closed
// model. They are as the model keeps them ([Precision.Kept]): in bfloat16 and int8 too, with the scales of quantised ones
// under names of their own. The tensors are the model's own: read them, do not keep or change them, and do not visit
// them while someone else changes weights.
func (n *Network) Weights() iter.Seq2[string, *tensors.Tensor] {
	return func(yield func(string, *tensors.Tensor) bool) {
		for _, w := range n.weights() {
			if !yield(w.name, w.value) {
				return
			}
		}
	}
}

type namedTensor struct {
	name  string
	value *tensors.Tensor
}

// weights lists the weights as they are now, so that no lock is held while they are visited.
func (n *Network) weights() []namedTensor {
	n.mu.RLock()
	defer n.mu.RUnlock()
	var list []namedTensor
	for _, w := range n.kept {
		v, err := n.variable(w.Name)
		if err != nil {
			return nil // the model is closed
		}
		value, err := v.Value()
		if err != nil {
			return nil // it is being closed
		}
		list = append(list, namedTensor{w.Name, value})
	}
	return list
}

// Weight is a copy of one weight in float32, by its Hugging Face name: of one that is kept in bfloat16 or int8, what it stands for.
func (n *Network) Weight(name string) (*tensors.Tensor, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.copyOf(name)
}

// copyOf copies a weight; mu is held.
func (n *Network) copyOf(name string) (*tensors.Tensor, error) {
	v, err := n.variable(name)
	if err != nil {
		return nil, err
	}
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	var scales *tensors.Tensor
	if v.DType() == dtypes.Int8 {
		if scales, err = n.copyOf(name + ScaleSuffix); err != nil {
			return nil, err
		}
	}
	return widened(value, scales)
}

// SetWeight replaces one weight by a copy of value, a float32 tensor of the same shape, in the type in which the model keeps it. A quantised
// one's scales change with it.
func (n *Network) SetWeight(name string, value *tensors.Tensor) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, err := n.variable(name)
	if err != nil {
		return err
	}
	if value == nil {
		return fmt.Errorf("%s: no tensor given", name)
	}
	if of, ok := strings.CutSuffix(name, ScaleSuffix); ok {
		return fmt.Errorf("%s: scales are set with their weight, %s", name, of)
	}
	if !slices.Equal(value.Shape().Dimensions, v.Shape().Dimensions) {
		return fmt.Errorf("%s: found shape %v, want %v", name, value.Shape().Dimensions, v.Shape().Dimensions)
	}
	return n.replace(namedTensor{name, value})
}

// variable finds a weight; mu is held.
func (n *Network) variable(name string) (*model.Variable, error) {
	if n.closed {
		return nil, ErrClosed
	}
	v := n.store.GetVariable(variablePath(name))
	if v == nil || n.keptAs(name) == nil {
		return nil, fmt.Errorf("%s has no weight %q", n.head.Class(), name)
	}
	return v, nil
}

// keptAs says how a weight is kept; nil if it is none.
func (n *Network) keptAs(name string) *Weight {
	if i := slices.IndexFunc(n.kept, func(w Weight) bool { return w.Name == name }); i >= 0 {
		return &n.kept[i]
	}
	return nil
}

// replace puts copies of float32 tensors in place of weights, of other shapes perhaps: all of them or, if
// one cannot be copied, none; mu is held.
func (n *Network) replace(replacements ...namedTensor) error {
	var moved []namedTensor
	for _, r := range replacements {
		copies, err := n.copies(r)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		moved = append(moved, copies...)
	}
	for _, r := range moved {
		v, err := n.variable(r.name)
		if err != nil {
			return err
		}
		dimensions := r.value.Shape().Dimensions
		if !slices.Equal(v.Shape().Dimensions, dimensions) {
			n.graphs.clear() // compiled for the old shape
		}
		if err := v.SetValue(r.value); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		n.keptAs(r.name).Dimensions = slices.Clone(dimensions)
	}
	return nil
}

// copies are a float32 tensor's on the backend, as a weight is kept, and those of its scales if it has any.
func (n *Network) copies(r namedTensor) ([]namedTensor, error) {
	kept := n.keptAs(r.name)
	if kept == nil {
		return nil, fmt.Errorf("%s has no weight of this name", n.head.Class())
	}
	values, err := tensors.CopyFlatData[float32](r.value)
	if err != nil {
		return nil, err
	}
	w := Weight{r.name, r.value.Shape().Dimensions, kept.DType}
	source := Source(func(string, []int) ([]float32, error) { return values, nil }).Kept()
	list := []Weight{w}
	if w.DType == dtypes.Int8 {
		list = append(list, w.scales())
	}
	var out []namedTensor
	for _, w := range list {
		raw, err := source(w)
		if err != nil {
			return nil, err
		}
		moved, err := n.tensor(w, raw)
		if err != nil {
			return nil, err
		}
		out = append(out, namedTensor{w.Name, moved})
	}
	return out, nil
}

// wordEmbeddingsName is the word embedding's name in a model with that head.
func (n *Network) wordEmbeddingsName() string {
	if n.head == HeadModel {
		return "embeddings.word_embeddings.weight"
	}
	return "lxmert.embeddings.word_embeddings.weight"
}

// GetInputEmbeddings is a copy of the word embedding [vocab, hidden], get_input_embeddings of the reference.
func (n *Network) GetInputEmbeddings() (*tensors.Tensor, error) {
	return n.Weight(n.wordEmbeddingsName())
}

// SetInputEmbeddings replaces the word embedding by a copy of a tensor of the same shape. The
// masked-language head, which is tied to it, changes with it.
func (n *Network) SetInputEmbeddings(table *tensors.Tensor) error {
	return n.SetWeight(n.wordEmbeddingsName(), table)
}

// The last linear map of the answer head.
const (
	qaLogitWeight = "answer_head.logit_fc.3.weight"
	qaLogitBias   = "answer_head.logit_fc.3.bias"
)

// LogitLayer is the last linear map of the answer head: Weight [answers, 2·hidden], Bias [answers].
type LogitLayer struct{ Weight, Bias *tensors.Tensor }

// GetQALogitLayer is a copy of the answer head's last layer; [ErrNoAnswerHead] if there is none.
func (n *Network) GetQALogitLayer() (LogitLayer, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.qaLogitLayer()
}

// qaLogitLayer copies the answer head's last layer; mu is held.
func (n *Network) qaLogitLayer() (LogitLayer, error) {
	if !n.hasAnswerHead() {
		return LogitLayer{}, ErrNoAnswerHead
	}
	weight, err := n.copyOf(qaLogitWeight)
	if err != nil {
		return LogitLayer{}, err
	}
	bias, err := n.copyOf(qaLogitBias)
	return LogitLayer{weight, bias}, err
}

// SetQALogitLayer replaces the answer head's last layer by a copy. Its number of rows becomes
// num_qa_labels.
func (n *Network) SetQALogitLayer(layer LogitLayer) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.setQALogitLayer(layer)
}

// setQALogitLayer is SetQALogitLayer; mu is held.
func (n *Network) setQALogitLayer(layer LogitLayer) error {
	switch {
	case n.closed:
		return ErrClosed
	case !n.hasAnswerHead():
		return ErrNoAnswerHead
	case layer.Weight == nil || layer.Bias == nil:
		return errors.New("the logit layer lacks its weight or its bias")
	}
	weight, bias := layer.Weight.Shape().Dimensions, layer.Bias.Shape().Dimensions
	if len(weight) != 2 || len(bias) != 1 || weight[0] != bias[0] || weight[1] != 2*n.config.HiddenSize {
		return fmt.Errorf("found a logit layer of shapes %v and %v, want [answers, %d] and [answers]", weight, bias, 2*n.config.HiddenSize)
	}
	if err := n.replace(namedTensor{qaLogitWeight, layer.Weight}, namedTensor{qaLogitBias, layer.Bias}); err != nil {
		return err
	}
	n.config.NumQALabels = weight[0]
	return nil
}

// ResizeNumQALabels makes the answer head score count answers: the first rows of its last layer stay,
// rows that are new are drawn as fresh weights are, with bias 0. The reference's
// resize_num_qa_labels. [ErrNoAnswerHead] if there is no answer head.
func (n *Network) ResizeNumQALabels(count int, seed uint64) error {
	if count < 1 || count > maxDimension {
		return fmt.Errorf("num_qa_labels: found %d, want 1..%d", count, maxDimension)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	old, err := n.qaLogitLayer()
	if err != nil || count == n.config.NumQALabels {
		return err
	}
	fresh := n.config.Fresh(seed)
	weight, err := resized(fresh, qaLogitWeight, old.Weight, count, 2*n.config.HiddenSize)
	if err != nil {
		return err
	}
	bias, err := resized(fresh, qaLogitBias, old.Bias, count)
	if err != nil {
		return err
	}
	return n.setQALogitLayer(LogitLayer{weight, bias})
}

// resized is a fresh weight that begins as the old one does.
func resized(fresh Source, name string, old *tensors.Tensor, dimensions ...int) (*tensors.Tensor, error) {
	values, err := fresh(name, dimensions)
	if err != nil {
		return nil, err
	}
	kept, err := tensors.CopyFlatData[float32](old)
	if err != nil {
		return nil, err
	}
	copy(values, kept)
	return tensors.FromFlatDataAndDimensions(values, dimensions...), nil
}

// hasAnswerHead looks at class and configuration; mu is held.
func (n *Network) hasAnswerHead() bool {
	return n.head == HeadQuestionAnswering || n.head == HeadPreTraining && n.config.TaskQA
}
