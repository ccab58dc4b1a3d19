// Package predict answers whole files of questions: it brings questions and regions together, keeps a model at work
// while features are read, and gives what package eval scores and writes.
//
//	seq, _, err := questions.Open(questions.KindVQA, "minival.json", "")
//	… // qs, of seq
//	predictions, err := predict.Answers(ctx, m, features, qs, predict.Options{})
//	score, err := predict.SoftScore(qs, predict.Plain(predictions))
package predict

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
)

// Options say how a file is answered. The zero value will do.
type Options struct {
	Batch    int                  // questions that go to the model at once; 0 is DefaultBatch
	Progress func(done, of int)   // unless nil, hears of each batch, in the caller's goroutine
	Bad      func(*QuestionError) // unless nil, hears of each question that cannot be answered, and the rest goes on; nil: the first ends it
}

// DefaultBatch is how many questions go to the model at once.
const DefaultBatch = 32

// Prediction is an answer and how sure the model is of it, 0..1.
type Prediction struct {
	eval.Prediction
	Probability float32
}

// Plain are predictions as package eval takes them.
func Plain(predictions []Prediction) []eval.Prediction {
	plain := make([]eval.Prediction, len(predictions))
	for i, p := range predictions {
		plain[i] = p.Prediction
	}
	return plain
}

// QuestionError says about which question something is wrong. Where its picture is missing, errors.Is finds data.ErrNotFound.
type QuestionError struct {
	ID      string
	Picture string
	Err     error
}

func (e *QuestionError) Error() string {
	return fmt.Sprintf("question %.60q (picture %.100q): %v", e.ID, e.Picture, e.Err)
}

// Unwrap is what is wrong.
func (e *QuestionError) Unwrap() error { return e.Err }

// Answers gives the model's best answer to each question about its picture, in the order of the questions; o.Bad's are left out.
//
// Questions about one picture go through the model together, wherever they are in the list. A picture is read once (one that several pairs share,
// once for each run of batches that need it), and ahead of the model; the pictures of four batches are in memory at most. The error is ctx's, features' or a [QuestionError]; several are joined.
func Answers(ctx context.Context, m *lxmert.Model, features data.Source, qs []questions.Question, o Options) ([]Prediction, error) {
	for i := range qs {
		if qs[i].Second != "" {
			return nil, badQuestion(&qs[i], errors.New("found two pictures, want one"))
		}
	}
	return answer(ctx, features, qs, o, asking(m))
}

// asking asks a batch of questions.
func asking(m *lxmert.Model) func(context.Context, []asked) ([]Prediction, error) {
	return func(ctx context.Context, batch []asked) ([]Prediction, error) {
		queries := make([]lxmert.Query, len(batch))
		for i, a := range batch {
			queries[i] = lxmert.Query{Regions: a.picture, Question: a.Sentence}
		}
		best, err := m.BestBatch(ctx, queries)
		if err != nil {
			return nil, err
		}
		predictions := make([]Prediction, len(batch))
		for i, answer := range best {
			predictions[i] = Prediction{eval.Prediction{ID: batch[i].ID.String(), Answer: answer.Text}, answer.Probability}
		}
		return predictions, nil
	}
}

// Statements judges each statement about its two pictures, "True" or "False", with the probability of that. See [Answers].
func Statements(ctx context.Context, m *lxmert.Statements, features data.Source, qs []questions.Question, o Options) ([]Prediction, error) {
	for i := range qs {
		if qs[i].Second == "" {
			return nil, badQuestion(&qs[i], errors.New("found one picture, want two"))
		}
	}
	return answer(ctx, features, qs, o, func(ctx context.Context, batch []asked) ([]Prediction, error) {
		pairs := make([]lxmert.Pair, len(batch))
		for i, a := range batch {
			pairs[i] = lxmert.Pair{Left: a.picture, Right: a.second, Statement: a.Sentence}
		}
		verdicts, err := m.JudgeBatch(ctx, pairs)
		if err != nil {
			return nil, err
		}
		predictions := make([]Prediction, len(batch))
		for i, v := range verdicts {
			p := Prediction{eval.Prediction{ID: batch[i].ID.String(), Answer: "False"}, 1 - v.Probability}
			if v.True {
				p.Answer, p.Probability = "True", v.Probability
			}
			predictions[i] = p
		}
		return predictions, nil
	})
}
