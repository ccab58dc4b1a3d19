package tasks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/predict"
	"github.com/go-lxmert/lxmert/train"
)

// Answering is question answering as VQA and GQA have it (§4.2): of each answer of a table the model learns how right it is.
type Answering struct {
	Common
	labels []string
	ids    map[string]int32
}

var _ train.Task = (*Answering)(nil)

// NewAnswering makes the task; labels is the answer of each logit. The error names the examples whose picture is missing or whose answer the
// table does not have.
func NewAnswering(c Common, labels []string) (*Answering, error) {
	t := &Answering{Common: c, labels: labels, ids: make(map[string]int32, len(labels))}
	for id, label := range labels {
		t.ids[label] = int32(id)
	}
	if n := c.Network.Config().NumQALabels; n != len(labels) {
		return nil, fmt.Errorf("found %d answers, but the model scores %d (num_qa_labels)", len(labels), n)
	}
	err := t.prepare(model.HeadQuestionAnswering, 1, func(q *questions.Question) error {
		if q.Label == nil {
			return fmt.Errorf("label: %w", eval.ErrNoAnswers)
		}
		for _, s := range q.Label {
			if _, ok := t.ids[s.Answer]; !ok {
				return fmt.Errorf("label: answer %.60q is not in the table of %d answers", s.Answer, len(labels))
			}
		}
		return nil
	}, identified())
	if err != nil {
		return nil, err
	}
	return t, errors.Join(try(t), t.rehearse(labels[0], t.score, t.write))
}

// Batch implements [train.Task].
func (t *Answering) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	inputs, err := t.inputs(ctx, r.Examples)
	if err != nil {
		return nil, err
	}
	target := make([]float32, len(r.Examples)*len(t.labels))
	for i, e := range r.Examples {
		for _, s := range t.Train[e].Label {
			target[i*len(t.labels)+int(t.ids[s.Answer])] = float32(s.Score)
		}
	}
	return &train.Batch{Inputs: inputs, Target: matrix(target, len(r.Examples), len(t.labels))}, nil
}

// Objective implements [train.Task].
func (t *Answering) Objective() train.Objective {
	config := t.Network.Config()
	return func(s *gomodel.Scope, in *model.Inputs[*graph.Node], target *graph.Node) train.Loss {
		logits := config.QuestionAnswering(s, in, t.training()).QuestionAnsweringScore
		loss := train.AnswerLoss(logits, target)
		return train.Loss{Total: loss, Parts: []train.LossPart{{Name: string(t.Kind), Value: loss}}, Choices: graph.ArgMax(logits, -1, dtypes.Int32)}
	}
}

// Scores implements [train.Task]: how right the chosen answers are.
func (t *Answering) Scores(examples []int, choices []int32) []float64 {
	scores := make([]float64, len(examples))
	for i, e := range examples {
		chosen := t.labels[choices[i]]
		at := slices.IndexFunc(t.Train[e].Label, func(s answers.Score) bool { return s.Answer == chosen })
		if at >= 0 {
			scores[i] = t.Train[e].Label[at].Score
		}
	}
	return scores
}

// Validate implements [train.Task]: LXMERT's own accuracy ([eval.Soft]).
func (t *Answering) Validate(ctx context.Context) (*train.Validation, error) {
	if len(t.Valid) == 0 {
		return nil, nil
	}
	network := &model.LxmertForQuestionAnswering{Network: t.Network}
	m, err := lxmert.New(network, t.Tokenizer, t.labels, lxmert.WithMaxTokens(t.MaxTokens))
	if err != nil {
		return nil, err
	}
	defer m.Close()
	found, err := t.predicted(func(mine []questions.Question) ([]predict.Prediction, error) {
		return predict.Answers(ctx, m, t.Features, mine, predict.Options{Progress: t.Progress})
	})
	if err != nil {
		return nil, err
	}
	return t.score(found)
}

// score is the validation that predictions come to.
func (t *Answering) score(predictions []eval.Prediction) (*train.Validation, error) {
	v := &train.Validation{Predictions: predictions}
	if !t.known(func(q questions.Question) bool { return q.Label != nil }) {
		return v, nil
	}
	score, err := predict.SoftScore(t.Valid, predictions)
	if err != nil {
		return nil, err
	}
	v.Score = &score.Accuracy
	return v, nil
}

// known says whether the answer to every question of the validation is.
func (c *Common) known(answered func(questions.Question) bool) bool {
	return !slices.ContainsFunc(c.Valid, func(q questions.Question) bool { return !answered(q) })
}

// Save implements [train.Task].
func (t *Answering) Save(dir string) error {
	if err := lxmert.WriteLabels(filepath.Join(dir, lxmert.LabelsName), t.labels); err != nil {
		return err
	}
	return t.save(dir)
}

// save writes what every model directory has.
func (c *Common) save(dir string) error {
	if err := c.Tokenizer.Save(dir); err != nil {
		return err
	}
	return eval.WriteTrained(filepath.Join(dir, eval.TrainedName), c.Trained)
}

// WritePredictions implements [train.Task]: VQA's form where ids are whole numbers, as VQA's are, else GQA's.
func (t *Answering) WritePredictions(path string, predictions []eval.Prediction) error {
	return atomicfile.Write(path, 0o644, func(w io.Writer) error { return t.write(w, predictions) })
}

func (t *Answering) write(w io.Writer, predictions []eval.Prediction) error {
	if t.Kind == questions.KindVQA && !slices.ContainsFunc(t.Valid, func(q questions.Question) bool { return !q.ID.IsNumber() }) {
		return eval.WriteVQA(w, predict.IDs(t.Valid), predictions)
	}
	return eval.WriteGQA(w, predict.IDs(t.Valid), predictions)
}
