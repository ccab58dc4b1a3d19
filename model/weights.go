package model

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// ErrNoAnswerHead is the answer of a model without an answer head to questions about it.
var ErrNoAnswerHead = errors.New("this model has no answer head")

// Weights visits every weight under its Hugging Face name, in the order of [Declare]. The tensor is the
// model's own: read it, do not keep or change it. Do not call methods that change
// weights from within the loop.
func (n *Network) Weights() iter.Seq2[string, *tensors.Tensor] {
	return func(yield func(string, *tensors.Tensor) bool) {
		n.mu.RLock()
		defer n.mu.RUnlock()
		for v := range n.store.IterVariables() {
			if strings.HasPrefix(v.Name(), "#") { // GoMLX's own, such as its random state
				continue
			}
			value, err := v.Value()
			if err != nil {
				continue // closed
			}
			if !yield(weightName(v.Path()), value) {
				return
			}
		}
	}
}

// Weight is a copy of one weight, by its Hugging Face name.
func (n *Network) Weight(name string) (*tensors.Tensor, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	v, err := n.variable(name)
	if err != nil {
		return nil, err
	}
	value, err := v.Value()
	if err != nil {
		return nil, err
	}
	return value.LocalClone()
}

// SetWeight replaces one weight by a copy of value, a float32 tensor of the same shape.
func (n *Network) SetWeight(name string, value *tensors.Tensor) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	v, err := n.variable(name)
	if err != nil {
		return err
	}
	if !slices.Equal(value.Shape().Dimensions, v.Shape().Dimensions) {
		return fmt.Errorf("%s: found shape %v, want %v", name, value.Shape().Dimensions, v.Shape().Dimensions)
	}
	return n.replace(name, value)
}

// variable finds a weight; mu is held.
func (n *Network) variable(name string) (*model.Variable, error) {
	if n.closed {
		return nil, errClosed
	}
	v := n.store.GetVariable(variablePath(name))
	if v == nil {
		return nil, fmt.Errorf("%s has no weight %q", n.head.Class(), name)
	}
	return v, nil
}

// replace puts a copy of value in place of a weight, of another shape perhaps; mu is held.
func (n *Network) replace(name string, value *tensors.Tensor) error {
	v, err := n.variable(name)
	if err != nil {
		return err
	}
	values, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	moved, err := n.tensor(Weight{name, value.Shape().Dimensions}, values)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if !slices.Equal(v.Shape().Dimensions, value.Shape().Dimensions) {
		n.graphs.clear() // compiled for the old shape
	}
	return v.SetValue(moved)
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
	if !n.hasAnswerHead() {
		return LogitLayer{}, ErrNoAnswerHead
	}
	weight, err := n.Weight(qaLogitWeight)
	if err != nil {
		return LogitLayer{}, err
	}
	bias, err := n.Weight(qaLogitBias)
	return LogitLayer{weight, bias}, err
}

// SetQALogitLayer replaces the answer head's last layer by a copy. Its number of rows becomes
// num_qa_labels.
func (n *Network) SetQALogitLayer(layer LogitLayer) error {
	if !n.hasAnswerHead() {
		return ErrNoAnswerHead
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return errClosed
	}
	weight, bias := layer.Weight.Shape().Dimensions, layer.Bias.Shape().Dimensions
	if len(weight) != 2 || len(bias) != 1 || weight[0] != bias[0] || weight[1] != 2*n.config.HiddenSize {
		return fmt.Errorf("found a logit layer of shapes %v and %v, want [answers, %d] and [answers]", weight, bias, 2*n.config.HiddenSize)
	}
	if err := n.replace(qaLogitWeight, layer.Weight); err != nil {
		return err
	}
	if err := n.replace(qaLogitBias, layer.Bias); err != nil {
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
	old, err := n.GetQALogitLayer()
	if err != nil {
		return err
	}
	config := n.Config()
	if count == config.NumQALabels {
		return nil
	}
	fresh := config.Fresh(seed)
	resized := func(name string, old *tensors.Tensor, dimensions ...int) (*tensors.Tensor, error) {
		values, err := fresh(name, dimensions)
		if err != nil {
			return nil, err
		}
		kept, err := tensors.CopyFlatData[float32](old)
		copy(values, kept)
		return tensors.FromFlatDataAndDimensions(values, dimensions...), err
	}
	weight, err := resized(qaLogitWeight, old.Weight, count, 2*config.HiddenSize)
	if err != nil {
		return err
	}
	bias, err := resized(qaLogitBias, old.Bias, count)
	if err != nil {
		return err
	}
	return n.SetQALogitLayer(LogitLayer{weight, bias})
}

func (n *Network) hasAnswerHead() bool {
	return n.head == HeadQuestionAnswering || n.head == HeadPreTraining && n.Config().TaskQA
}
