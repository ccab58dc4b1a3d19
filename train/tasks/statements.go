package tasks

import (
	"context"
	"errors"
	"io"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/train"
)

// Statements is NLVR2 (§4.2): whether a statement about two pictures is true.
type Statements struct{ Common }

var _ train.Task = (*Statements)(nil)

// NewStatements makes the task. The error names the examples of which a picture, or the truth, is missing.
func NewStatements(c Common) (*Statements, error) {
	t := &Statements{c}
	err := t.prepare(model.HeadNLVR2, 2, func(q *questions.Question) error {
		if q.Truth == nil {
			return errors.New("label: found none, want 0 or 1, or True or False")
		}
		return nil
	}, identified())
	if err != nil {
		return nil, err
	}
	return t, errors.Join(try(t), t.rehearse("False", t.score, t.write))
}

// Batch implements [train.Task].
func (t *Statements) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	inputs, err := t.inputs(ctx, r.Examples)
	if err != nil {
		return nil, err
	}
	labels := make([]int32, len(r.Examples))
	for i, e := range r.Examples {
		if *t.Train[e].Truth {
			labels[i] = 1
		}
	}
	inputs.Labels = matrix(labels, len(labels))
	return &train.Batch{Inputs: inputs}, nil
}

// Objective implements [train.Task].
func (t *Statements) Objective() train.Objective {
	config := t.Network.Config()
	return func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
		out := config.NLVR2(s, in, t.training())
		return train.Loss{Total: out.Loss, Parts: []train.LossPart{{Name: string(t.Kind), Value: out.Loss}}, Choices: graph.ArgMax(out.Logits, -1, dtypes.Int32)}
	}
}

// Scores implements [train.Task]: 1 for each statement that was judged right.
func (t *Statements) Scores(examples []int, choices []int32) []float64 {
	scores := make([]float64, len(examples))
	for i, e := range examples {
		if *t.Train[e].Truth == (choices[i] == 1) {
			scores[i] = 1
		}
	}
	return scores
}

// Validate implements [train.Task]: the accuracy ([eval.NLVR2]).
func (t *Statements) Validate(ctx context.Context) (*train.Validation, error) {
	if len(t.Valid) == 0 {
		return nil, nil
	}
	m, err := lxmert.NewStatements(&model.LxmertForNLVR2{Network: t.Network}, t.Tokenizer, lxmert.WithMaxTokens(t.MaxTokens))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	found, err := t.predicted(func(mine []questions.Question) ([]predict.Prediction, error) {
		return predict.Statements(ctx, m, t.Features, mine, predict.Options{Progress: t.Progress})
	})
	if err != nil {
		return nil, err
	}
	return t.score(found)
}

// score is the validation that predictions come to.
func (t *Statements) score(predictions []eval.Prediction) (*train.Validation, error) {
	v := &train.Validation{Predictions: predictions}
	if !t.known(func(q questions.Question) bool { return q.Truth != nil }) {
		return v, nil
	}
	score, err := predict.StatementScore(t.Valid, predictions)
	if err != nil {
		return nil, err
	}
	v.Score = &score.Accuracy
	return v, nil
}

// Save implements [train.Task].
func (t *Statements) Save(dir string) error { return t.save(dir) }

// WritePredictions implements [train.Task].
func (t *Statements) WritePredictions(path string, predictions []eval.Prediction) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error { return t.write(w, predictions) })
}

func (t *Statements) write(w io.Writer, predictions []eval.Prediction) error {
	return eval.WriteNLVR2(w, predict.IDs(t.Valid), predictions)
}
