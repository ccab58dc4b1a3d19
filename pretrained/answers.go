package pretrained

import (
	"fmt"
	"slices"

	"github.com/go-lxmert/lxmert/checkpoint"
	"github.com/go-lxmert/lxmert/model"
)

// The last layer of the answer head, a row for each answer.
const (
	answerWeight = "answer_head.logit_fc.3.weight"
	answerBias   = "answer_head.logit_fc.3.bias"
)

// Resized keeps the first answers of an answer head of some size, and adds fresh ones: resize_num_qa_labels of transformers.
func Resized(from, to int) []int {
	rows := make([]int, to)
	for i := range rows {
		rows[i] = i
		if i >= from {
			rows[i] = -1
		}
	}
	return rows
}

// apply puts the rows of a new answer head in the place of the old ones; fresh ones are drawn as a new model's are, with bias 0.
func (a *Answers) apply(weights []checkpoint.Tensor, config *model.Config) error {
	changed := 0
	resized := config.Clone()
	resized.NumQALabels = len(a.Rows)
	resized.ID2Label = nil
	if err := resized.Validate(); err != nil {
		return err
	}
	fresh := resized.Fresh(a.Seed)
	for i, w := range weights {
		if w.Name != answerWeight && w.Name != answerBias {
			continue
		}
		shape := slices.Clone(w.Shape)
		old := shape[0]
		for _, row := range a.Rows {
			if row >= old {
				return fmt.Errorf("answer %d is asked for, but the answer head has %d", row, old)
			}
		}
		shape[0] = len(a.Rows)
		weights[i] = checkpoint.Tensor{Name: w.Name, DType: checkpoint.F32, Shape: shape, Fetch: func() ([]byte, error) {
			values, err := w.Float32s()
			if err != nil {
				return nil, err
			}
			out, err := fresh(w.Name, shape)
			if err != nil {
				return nil, err
			}
			width := len(values) / old
			for to, row := range a.Rows {
				if row >= 0 {
					copy(out[to*width:(to+1)*width], values[row*width:])
				}
			}
			t, err := checkpoint.FromFloat32s(w.Name, shape, out)
			return t.Data, err
		}}
		changed++
	}
	if changed != 2 {
		return fmt.Errorf("there is no answer head: %s and %s are missing", answerWeight, answerBias)
	}
	config.NumQALabels, config.ID2Label = resized.NumQALabels, nil
	return nil
}
