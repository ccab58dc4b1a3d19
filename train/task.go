package train

import (
	"context"

	"github.com/go-lxmert/lxmert/eval"
)

// A Task is what a model is taught: the examples, the loss, and how to judge what was learned. Package tasks has LXMERT's.
type Task interface {
	// Len is the number of examples to learn from, numbered from 0.
	Len() int
	// Describe names an example in messages, such as "question 262148000".
	Describe(example int) string
	// Batch prepares examples for a step. It is called ahead of the step, by another goroutine than the one that trains, for one batch at a time.
	Batch(ctx context.Context, r Request) (*Batch, error)
	// Objective is the loss.
	Objective() Objective
	// Scores says how right the model's choices are, each 0..1. It is not called if the objective has none.
	Scores(examples []int, choices []int32) []float64
	// Validate judges the model, between two epochs; nil if there is nothing to judge it by. It is the same whenever it is called.
	Validate(ctx context.Context) (*Validation, error)
	// Save adds to a model directory what the model needs besides its weights: vocabulary, answers.
	Save(dir string) error
	// WritePredictions writes the submission file of a validation's predictions.
	WritePredictions(path string, predictions []eval.Prediction) error
}

// Request is what a batch is to be made of.
type Request struct {
	Examples []int
	Epoch    int    // from 0
	Chance   uint64 // the seed of whatever is left to chance
}

// Validation is how well a model does on questions that it does not learn from.
type Validation struct {
	Score  *float64           // a share of 1; nil where only the loss tells
	Loss   *float64           // nil where only the score does
	Losses map[string]float64 // parts of the loss
	// Predictions are what goes into the submission file; nil if there is none.
	Predictions []eval.Prediction
}

// better reports whether v is better than the best so far: by score, or where there is none by loss.
func (v *Validation) better(best *bestSoFar) bool {
	switch {
	case best == nil, v.Score == nil && v.Loss == nil:
		return true
	case v.Score != nil && best.Score != nil:
		return *v.Score > *best.Score
	case v.Loss != nil && best.Loss != nil:
		return *v.Loss < *best.Loss
	}
	return false
}

// bestSoFar is the best validation of a run.
type bestSoFar struct {
	Epoch int      `json:"epoch"`
	Score *float64 `json:"score,omitempty"`
	Loss  *float64 `json:"loss,omitempty"`
}
