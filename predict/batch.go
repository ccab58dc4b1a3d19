package predict

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/questions"
)

// asked is a question with the regions of its picture, or of both; those of one picture are the same memory.
type asked struct {
	*questions.Question
	index           int // in the list of questions
	picture, second lxmert.Regions
}

func (a asked) bad(err error) *QuestionError { return badQuestion(a.Question, err) }

func badQuestion(q *questions.Question, err error) *QuestionError {
	picture := q.Image
	if q.Second != "" {
		picture += " and " + q.Second
	}
	return &QuestionError{q.ID.String(), picture, err}
}

// batchesAhead is how many batches are read and wait for the model, besides the one that it works on and the one being read.
const batchesAhead = 2

// answer takes questions through ask, batch by batch, while another goroutine reads the pictures of the next. What ask says of a single question is
// a [lxmert.QueryError] or a [lxmert.PairError].
func answer(ctx context.Context, features data.Source, qs []questions.Question, o Options, ask func(context.Context, []asked) ([]Prediction, error)) ([]Prediction, error) {
	if o.Batch < 0 {
		return nil, fmt.Errorf("batch: found %d, want 1 or more, or 0 for %d", o.Batch, DefaultBatch)
	}
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	have, err := present(features, qs, o.Bad)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	batches := make(chan []loaded, batchesAhead)
	var reader sync.WaitGroup
	defer func() {
		cancel()
		reader.Wait() // so that features may be closed
	}()
	reader.Go(func() {
		defer close(batches)
		read := reading{features: features}
		for indices := range inBatches(qs, have, o.Batch) {
			select {
			case batches <- read.batch(ctx, qs, indices):
			case <-ctx.Done():
				return
			}
		}
	})
	done := len(qs) - len(have)
	predictions := make([]Prediction, len(qs))
	answered := make([]bool, len(qs))
	for {
		var batch []loaded
		select {
		case next, more := <-batches:
			if !more {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return inOrder(predictions, answered), nil
			}
			batch = next
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		good, err := sift(batch, o.Bad)
		if err != nil {
			return nil, err
		}
		if err := answerBatch(ctx, good, o.Bad, ask, func(index int, p Prediction) { predictions[index], answered[index] = p, true }); err != nil {
			return nil, err
		}
		if done += len(batch); o.Progress != nil {
			o.Progress(done, len(qs))
		}
	}
}

// inOrder leaves out what has not been answered.
func inOrder(predictions []Prediction, answered []bool) []Prediction {
	n := 0
	for i, p := range predictions {
		if answered[i] {
			predictions[n] = p
			n++
		}
	}
	return predictions[:n]
}

// sift parts questions whose pictures could be read from those that have a fault.
func sift(batch []loaded, bad func(*QuestionError)) ([]asked, error) {
	var good []asked
	var faults faults
	for _, l := range batch {
		if l.err != nil {
			faults.add(l.bad(l.err))
			continue
		}
		good = append(good, l.asked)
	}
	return good, faults.report(bad)
}

// answerBatch asks a batch; where some of its questions are refused, and bad is there to hear of them, it asks the rest again.
func answerBatch(ctx context.Context, batch []asked, bad func(*QuestionError), ask func(context.Context, []asked) ([]Prediction, error), each func(index int, p Prediction)) error {
	for len(batch) > 0 {
		predictions, err := ask(ctx, batch)
		if err == nil {
			for i, p := range predictions {
				each(batch[i].index, p)
			}
			return nil
		}
		refused := refusals(err)
		if refused == nil {
			return err
		}
		var rest []asked
		var faults faults
		for i, a := range batch {
			if err, ok := refused[i]; ok {
				faults.add(a.bad(err))
			} else {
				rest = append(rest, a)
			}
		}
		if err := faults.report(bad); err != nil {
			return err
		}
		if len(rest) == len(batch) { // none of the batch is meant
			return err
		}
		batch = rest
	}
	return nil
}

// refusals are the errors about single queries, by their place in the batch; nil if err is about anything else.
func refusals(err error) map[int]error {
	joined, ok := err.(interface{ Unwrap() []error })
	errs := []error{err}
	if ok {
		errs = joined.Unwrap()
	}
	refused := map[int]error{}
	for _, err := range errs {
		var query *lxmert.QueryError
		var pair *lxmert.PairError
		switch {
		case errors.As(err, &query):
			refused[query.Index] = query.Err
		case errors.As(err, &pair):
			refused[pair.Index] = pair.Err
		default:
			return nil
		}
	}
	return refused
}

// faults are what is wrong with questions.
type faults []*QuestionError

func (f *faults) add(err *QuestionError) { *f = append(*f, err) }

// report tells bad, or else makes an error of the first few.
func (f faults) report(bad func(*QuestionError)) error {
	const named = 3
	if bad != nil {
		for _, err := range f {
			bad(err)
		}
		return nil
	}
	var errs []error
	for _, err := range f[:min(len(f), named)] {
		errs = append(errs, err)
	}
	if more := len(f) - named; more > 0 {
		errs = append(errs, fmt.Errorf("and %d questions more", more))
	}
	return errors.Join(errs...)
}
