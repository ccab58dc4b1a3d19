package lxmert

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/internal/descending"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
)

// Answer is one answer and how much the model thinks of it.
type Answer struct {
	ID   int    // place in the answer table
	Text string // may be empty: VQA's table has an empty answer
	// Score is the model's logit, Probability the softmax over all answers.
	Score, Probability float32
}

// Query is one question about one picture's regions.
type Query struct {
	Regions  Regions
	Question string
}

// Ask answers a question about a picture's regions: every answer the model knows, the best
// first. Regions that cannot be right (see [Regions.Check]), an empty question, one that is not UTF-8 or longer than
// the model reads are refused. When ctx ends it returns ctx's error.
func (m *Model) Ask(ctx context.Context, regions Regions, question string) ([]Answer, error) {
	answers, err := m.AskBatch(ctx, []Query{{regions, question}})
	if err != nil {
		var bad *QueryError
		if errors.As(err, &bad) {
			err = bad.Err // there is only one: its number says nothing
		}
		return nil, err
	}
	return answers[0], nil
}

// QueryError says which query of a batch is wrong.
type QueryError struct {
	Index int // in the batch, from 0
	Err   error
}

func (e *QueryError) Error() string { return fmt.Sprintf("query %d: %v", e.Index, e.Err) }

// Unwrap is the query's own error.
func (e *QueryError) Unwrap() error { return e.Err }

// AskBatch is [Model.Ask] for many questions: the answers in the questions' order, each as if it had been asked alone. Questions
// of like length go through the model together, and so do those about one picture, which is then encoded once; queries are about
// one picture if their Regions are the same memory. The error joins a [QueryError] for each query that is refused;
// then none is answered.
func (m *Model) AskBatch(ctx context.Context, queries []Query) ([][]Answer, error) {
	logits, err := m.scores(ctx, queries)
	if err != nil || logits == nil {
		return nil, err
	}
	answers := make([][]Answer, len(queries))
	for i := range answers {
		if answers[i], err = m.rank(logits[i]); err != nil {
			return nil, &QueryError{i, err}
		}
	}
	return answers, nil
}

// BestBatch is the best answer of each query, the first of [Model.AskBatch]'s, without the others being put in order.
func (m *Model) BestBatch(ctx context.Context, queries []Query) ([]Answer, error) {
	logits, err := m.scores(ctx, queries)
	if err != nil || logits == nil {
		return nil, err
	}
	answers := make([]Answer, len(queries))
	for i := range answers {
		if answers[i], err = m.best(logits[i]); err != nil {
			return nil, &QueryError{i, err}
		}
	}
	return answers, nil
}

// scores are the logits of each query, a logit for each answer; nil for no queries.
func (m *Model) scores(ctx context.Context, queries []Query) ([][]float32, error) {
	network := &model.LxmertForQuestionAnswering{Network: m.network}
	return m.rows(ctx, queries, func(batch *model.Batch) (*tensors.Tensor, error) {
		out, err := network.Forward(context.Background(), batch, model.Options{})
		if err != nil {
			return nil, err
		}
		return out.QuestionAnsweringScore, nil
	})
}

// rows is a row of numbers for each query, of what pass gives for a batch of some: [queries, numbers]. It is nil for no queries.
func (m *Model) rows(ctx context.Context, queries []Query, pass func(*model.Batch) (*tensors.Tensor, error)) ([][]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(queries) == 0 {
		return nil, nil
	}
	encodings, err := m.encodeAll(queries)
	if err != nil {
		return nil, err
	}
	return wait(ctx, m.reader, func() ([][]float32, error) {
		return m.run(ctx, len(queries), m.groups(queries, encodings), func(group []int) (*tensors.Tensor, error) {
			return pass(m.batch(queries, encodings, group))
		})
	})
}

// encodeAll checks the queries and tokenizes their questions.
func (m *Model) encodeAll(queries []Query) ([]tokenizer.Encoding, error) {
	return encodeAll(len(queries), func(i int) (tokenizer.Encoding, error) {
		encoding, err := m.encode(queries[i])
		if err != nil {
			err = &QueryError{i, err}
		}
		return encoding, err
	})
}

// encode checks one query and tokenizes its question.
func (m *Model) encode(q Query) (tokenizer.Encoding, error) {
	wrong := q.Regions.Check(m.config.VisualFeatDim, m.config.VisualPosDim)
	encoding, err := m.tokenize(q.Question)
	return encoding, errors.Join(wrong, err)
}

// softmax is what turns one question's logits into probabilities: the highest, and the sum of all exp(logit - highest).
func softmax(logits []float32) (highest float32, sum float64, err error) {
	for id, logit := range logits {
		if logit-logit != 0 { // true of NaN and the infinities only
			return 0, 0, fmt.Errorf("the model scores answer %d with %v: its weights or the regions' features are damaged", id, logit)
		}
	}
	highest = slices.Max(logits)
	for _, logit := range logits {
		sum += math.Exp(float64(logit - highest))
	}
	return highest, sum, nil
}

// probability is what softmax makes of a logit.
func probability(logit, highest float32, sum float64) float32 {
	return float32(math.Exp(float64(logit-highest)) / sum)
}

// best is the first of rank's answers.
func (m *Model) best(logits []float32) (Answer, error) {
	highest, sum, err := softmax(logits)
	if err != nil {
		return Answer{}, err
	}
	id := slices.Index(logits, highest)
	return Answer{ID: id, Text: m.labels[id], Score: highest, Probability: float32(1 / sum)}, nil
}

// rank turns one question's logits into answers, the best first; equal ones by id.
func (m *Model) rank(logits []float32) ([]Answer, error) {
	highest, sum, err := softmax(logits)
	if err != nil {
		return nil, err
	}
	best := make([]uint64, len(logits)) // sorts like the logits from the highest down, then by id
	for id, logit := range logits {
		best[id] = descending.Key(logit, id)
	}
	slices.Sort(best)
	answers := make([]Answer, len(logits))
	for i, key := range best {
		id := descending.Index(key)
		answers[i] = Answer{ID: id, Text: m.labels[id], Score: logits[id], Probability: probability(logits[id], highest, sum)}
	}
	return answers, nil
}
