// Package tasks is what LXMERT is taught: the five pre-training tasks (§3.1), and the answers to VQA's and GQA's questions and the
// truth of NLVR2's statements (§4.2), each from its data to batches, losses, scores and submissions.
package tasks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/internal/padding"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/vision"
)

// Common is what every task needs.
type Common struct {
	Kind      questions.Kind // of what is asked; "" in pre-training
	Network   *model.Network
	Tokenizer *tokenizer.Tokenizer
	// MaxTokens is to how many tokens a sentence is cut, [CLS] and [SEP] included; the original's is 20
	// ([tokenizer.OriginalMaxLength]).
	MaxTokens int
	// FixedSizes pads every sentence to MaxTokens, and pictures to one of few numbers of regions ([padding.FewRegions]): for engines that compile for each
	// size ([padding.Few]), and for several devices, whose batches have the same sizes.
	FixedSizes bool
	Train      []questions.Question
	Valid      []questions.Question // may be empty
	Features   data.Source          // of all pictures
	Trained    []eval.Trained       // what a checkpoint will have learned from
	Compute    model.Options        // how a training pass computes
	// Bad hears of each example that cannot be learned from, which is then left out; nil: the first are the error.
	Bad func(error)
	// Progress, unless nil, hears how far a validation is: this rank's share of it.
	Progress func(done, of int)
	// Ranks, unless nil, divide each validation among them; it is the same on all.
	Ranks train.Reducer

	images    map[string]bool
	sentences sentences
}

// prepare checks what is common to all tasks, leaves out bad examples, and tokenizes the sentences to learn from. Every question is about so many
// pictures; learn is a task's own check of an example to learn from, judge of one to be judged by.
func (c *Common) prepare(head model.Head, images int, learn, judge func(q *questions.Question) error) error {
	config := c.Network.Config()
	switch {
	case c.Network.Head() != head:
		return fmt.Errorf("found a model with head %s, want %s", c.Network.Head(), head)
	case c.Tokenizer == nil || c.Features == nil:
		return errors.New("a task wants a tokenizer and the pictures' regions")
	case c.MaxTokens < leastTokens || c.MaxTokens > config.MaxPositionEmbeddings:
		return fmt.Errorf("max tokens: found %d, want %d to %d (max_position_embeddings)", c.MaxTokens, leastTokens, config.MaxPositionEmbeddings)
	}
	c.images = map[string]bool{}
	for _, id := range c.Features.IDs() {
		c.images[id] = true
	}
	var errs faults
	checked := func(own func(q *questions.Question) error) func(q *questions.Question) error {
		return func(q *questions.Question) error {
			if n := len(pictures(q)); n != images {
				return fmt.Errorf("found pictures: %d, want %d", n, images)
			}
			return errors.Join(c.present(q), own(q))
		}
	}
	c.Train = errs.sift(c.Train, c.Bad, checked(learn))
	c.Valid = errs.sift(c.Valid, c.Bad, checked(judge))
	if err := errs.err(); err != nil {
		return err
	}
	if len(c.Train) == 0 {
		return errors.New("there are no examples to learn from")
	}
	var err error
	c.sentences, err = tokenize(c.Tokenizer, c.Train, c.MaxTokens)
	return err
}

// leastTokens are a word between the two tokens that every sentence has.
const leastTokens = 3

// identified makes the check of the questions to be judged by that are submitted: each has an id of its own.
func identified() func(q *questions.Question) error {
	seen := map[questions.ID]bool{}
	return func(q *questions.Question) error {
		switch {
		case q.ID.IsZero():
			return errors.New("found no id")
		case seen[q.ID]:
			return errors.New("comes a second time among those to be judged by, want each once")
		}
		seen[q.ID] = true
		return nil
	}
}

// try prepares the first example, so that regions that do not fit the model are found at once.
func try(t train.Task) error {
	_, err := t.Batch(context.Background(), train.Request{Examples: []int{0}})
	return err
}

// rehearse scores and writes an answer to everything, so that hours of work do not end with a validation that cannot be.
func (c *Common) rehearse(answer string, score func([]eval.Prediction) (*train.Validation, error), write func(io.Writer, []eval.Prediction) error) error {
	if len(c.Valid) == 0 {
		return nil
	}
	predictions := make([]eval.Prediction, len(c.Valid))
	for i := range c.Valid {
		predictions[i] = eval.Prediction{ID: c.Valid[i].ID.String(), Answer: answer}
	}
	_, err := score(predictions)
	if err := errors.Join(err, write(io.Discard, predictions)); err != nil {
		return fmt.Errorf("questions to be judged by: %w", err)
	}
	return nil
}

// present says which picture of a question there is no trace of.
func (c *Common) present(q *questions.Question) error {
	for _, id := range pictures(q) {
		if !c.images[id] {
			return fmt.Errorf("picture %.100q: %w in %s", id, data.ErrNotFound, c.Features.Path())
		}
	}
	return nil
}

// pictures are the ids of a question's pictures.
func pictures(q *questions.Question) []string {
	if q.Second != "" {
		return []string{q.Image, q.Second}
	}
	return []string{q.Image}
}

// Len is the number of examples to learn from.
func (c *Common) Len() int { return len(c.Train) }

// Describe names an example.
func (c *Common) Describe(example int) string { return describe(&c.Train[example]) }

func describe(q *questions.Question) string {
	if q.ID.IsZero() {
		return fmt.Sprintf("%.60q about picture %.60s", q.Sentence, q.Image)
	}
	return "question " + q.ID.String()
}

// get reads the regions of one picture and checks that the model can look at them.
func (c *Common) get(config *model.Config, id string) (vision.Regions, error) {
	r, err := c.Features.Get(id)
	if err != nil {
		return r, err
	}
	if err := r.Check(config.VisualFeatDim, config.VisualPosDim); err != nil {
		return r, fmt.Errorf("%s: picture %.100q: %w", c.Features.Path(), id, err)
	}
	return r, nil
}

// inputs reads the pictures of examples and puts them beside their sentences.
func (c *Common) inputs(ctx context.Context, examples []int) (*model.Batch, error) {
	config := c.Network.Config()
	var regions []vision.Regions
	rows := make([][]int32, len(examples))
	for i, e := range examples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows[i] = c.sentences.at(e)
		for _, id := range pictures(&c.Train[e]) {
			r, err := c.get(config, id)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.Describe(e), err)
			}
			regions = append(regions, r)
		}
	}
	leading := []int{len(examples)}
	if len(regions) > len(examples) {
		leading = []int{len(examples), len(regions) / len(examples)}
	}
	return c.batchOf(rows, regions, leading...), nil
}

// batchOf pads sentences and pictures. Sizes are rounded up, so that there are few shapes to compile graphs for; padding changes no
// result.
func (c *Common) batchOf(rows [][]int32, pictures []vision.Regions, leading ...int) *model.Batch {
	batch := &model.Batch{}
	tokens, regions := min(c.MaxTokens, roundedUp(padding.Longest(rows), tokenStep)), padding.Most(pictures)
	differ := slices.ContainsFunc(pictures, func(r vision.Regions) bool { return r.Len() != regions })
	switch {
	case c.FixedSizes:
		tokens, regions = c.MaxTokens, padding.FewRegions(regions)
	case differ:
		regions = roundedUp(regions, regionStep)
	}
	batch.InputIDs, batch.AttentionMask = padding.Tokens(rows, tokens)
	batch.VisualFeats, batch.VisualPos, batch.VisualAttentionMask = padding.Pictures(pictures, regions, leading...)
	return batch
}

// What numbers of tokens and, where they differ, of regions are rounded up to a multiple of.
const (
	tokenStep  = 4
	regionStep = 8
)

func roundedUp(n, step int) int { return (n + step - 1) / step * step }

// matrix makes a tensor of rows.
func matrix[T float32 | int32](values []T, dimensions ...int) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values, dimensions...)
}

// training are the options of a training pass.
func (c *Common) training() model.Options {
	o := c.Compute
	o.Training = true
	return o
}
