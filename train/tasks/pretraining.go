package tasks

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert"
	"github.com/go-lxmert/lxmert/data/answers"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/vision"
)

// PreTraining is LXMERT's five tasks (§3.1). Which of them are learned the model's configuration says (task_mask_lm, task_matched,
// task_obj_predict, task_qa, visual_obj_loss and so on).
type PreTraining struct {
	Common
	labels       []string
	answersFrom  int // epoch
	config       *model.Config
	train, valid *drawing
}

var _ train.Task = (*PreTraining)(nil)

// PreTrainingOptions are what pre-training can be told, besides the tasks.
type PreTrainingOptions struct {
	Labels     *answers.Table // the answers of each logit; nil without task_qa
	WordRate   float64        // share of words that are masked
	RegionRate float64        // share of regions that are masked
	// AnswersFrom is the epoch, from 0, from which on question answering is learned: the paper's second stage. 0: from the beginning, as in
	// the authors' repository.
	AnswersFrom int
}

// The parts of the loss, under the original's names.
const (
	partWords      = "mask_lm"
	partMatched    = "matched"
	partObjects    = "obj"
	partAttributes = "attr"
	partFeatures   = "feat"
	partAnswers    = "qa"
)

// NewPreTraining makes the task. The error names the examples whose picture is missing.
func NewPreTraining(c Common, o PreTrainingOptions) (*PreTraining, error) {
	t := &PreTraining{Common: c, answersFrom: o.AnswersFrom, config: c.Network.Config()}
	if t.config.TaskQA {
		if o.Labels == nil || o.Labels.Len() != t.config.NumQALabels {
			return nil, fmt.Errorf("question answering wants a table of %d answers (num_qa_labels)", t.config.NumQALabels)
		}
		for _, e := range o.Labels.Entries() {
			t.labels = append(t.labels, e.Answer)
		}
	}
	all := func(*questions.Question) error { return nil }
	if err := t.prepare(model.HeadPreTraining, 1, all, all); err != nil {
		return nil, err
	}
	var err error
	if t.train, err = t.drawing(t.Train, t.sentences, o); err != nil {
		return nil, fmt.Errorf("data to learn from: %w", err)
	}
	if len(t.Valid) > 0 {
		validSentences, err := tokenize(t.Tokenizer, t.Valid, t.MaxTokens)
		if err != nil {
			return nil, err
		}
		if t.valid, err = t.drawing(t.Valid, validSentences, o); err != nil {
			return nil, fmt.Errorf("data of the validation: %w", err)
		}
	}
	return t, try(t)
}

// drawing is a set of sentences about pictures from which examples are drawn.
type drawing struct {
	train.PreTraining
	task      *PreTraining
	questions []questions.Question
	sentences sentences
}

func (t *PreTraining) drawing(qs []questions.Question, s sentences, o PreTrainingOptions) (*drawing, error) {
	numbers, pictures := map[string]int32{}, make([]int32, len(qs))
	for i := range qs {
		if _, ok := numbers[qs[i].Image]; !ok {
			numbers[qs[i].Image] = int32(len(numbers))
		}
		pictures[i] = numbers[qs[i].Image]
	}
	pairs, err := train.NewPairs(pictures)
	if err != nil {
		return nil, err
	}
	mask, ok := t.Tokenizer.TokenToID("[MASK]")
	if !ok {
		return nil, errors.New("the vocabulary has no [MASK]")
	}
	d := &drawing{task: t, questions: qs, sentences: s}
	d.PreTraining = train.PreTraining{
		Pairs:   pairs,
		Regions: func(int) int { return 0 }, // each batch has its own, which reads pictures
		Tokens:  func(i int) (ids, marks []int32) { return s.at(i), special(len(s.at(i))) },
		Answers: func(i int) []train.SoftAnswer {
			var list []train.SoftAnswer
			for _, a := range qs[i].Label {
				if id, ok := o.Labels.ID(answers.Pretraining(a.Answer)); ok {
					list = append(list, train.SoftAnswer{ID: int32(id), Score: float32(a.Score)})
				}
			}
			return list
		},
		MaskID: mask, Vocabulary: t.Tokenizer.VocabSize(),
		WordRate: o.WordRate, RegionRate: o.RegionRate, Matching: t.config.TaskMatched,
	}
	if !t.config.TaskQA {
		d.PreTraining.Answers = func(int) []train.SoftAnswer { return nil }
	}
	if !t.config.TaskMaskLM {
		d.WordRate = 0
	}
	if !t.config.TaskObjPredict {
		d.RegionRate = 0
	}
	return d, d.Check()
}

// Batch implements [train.Task].
func (t *PreTraining) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	return t.train.batch(ctx, r.Examples, r.Chance, r.Epoch >= t.answersFrom)
}

// batch draws examples and reads their pictures.
func (d *drawing) batch(ctx context.Context, examples []int, chance uint64, withAnswers bool) (*train.Batch, error) {
	random := train.NewPreTrainingRandom(chance)
	cache := map[string]vision.Regions{} // of this batch
	regions := func(sentence int) (vision.Regions, error) {
		id := d.questions[sentence].Image
		if r, ok := cache[id]; ok {
			return r, nil
		}
		r, err := d.task.get(d.task.config, id)
		if err != nil {
			return r, fmt.Errorf("%s: %w", describe(&d.questions[sentence]), err)
		}
		cache[id] = r
		return r, nil
	}
	var failed error // to read a picture that an example was to be drawn from
	draw := d.PreTraining
	draw.Regions = func(sentence int) int {
		r, err := regions(sentence)
		if err != nil && failed == nil {
			failed = err
		}
		return r.Len()
	}
	b := newPreTrainingBatch(&d.task.Common, d.task.config, len(examples))
	for _, e := range examples {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		example, err := draw.Draw(random, e)
		if err := errors.Join(failed, err); err != nil {
			return nil, err
		}
		r, err := regions(e)
		if err != nil {
			return nil, err
		}
		if err := b.add(example, r, func(of train.RegionOf) ([]float32, error) {
			other, err := regions(of.Sentence)
			return other.Feature(of.Region), err
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", describe(&d.questions[e]), err)
		}
	}
	return b.finish(withAnswers), nil
}

// Objective implements [train.Task].
func (t *PreTraining) Objective() train.Objective {
	return func(s *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
		out := t.config.PreTraining(s, in, t.training())
		loss := train.Loss{Total: out.Loss}
		for name, part := range parts(&out.Losses) {
			loss.Parts = append(loss.Parts, train.LossPart{Name: name, Value: part})
		}
		return loss
	}
}

// parts visits the losses that are there, in a fixed order.
func parts[T model.Value](l *model.Losses[T]) func(func(string, T) bool) {
	return func(yield func(string, T) bool) {
		for _, part := range []struct {
			name  string
			value T
		}{
			{partWords, l.MaskedLM}, {partMatched, l.Matched}, {partObjects, l.Object},
			{partAttributes, l.Attribute}, {partFeatures, l.Feature}, {partAnswers, l.Answer},
		} {
			if part.value != nil && !yield(part.name, part.value) {
				return
			}
		}
	}
}

// Scores implements [train.Task]; pre-training has none.
func (t *PreTraining) Scores([]int, []int32) []float64 { return nil }

// validationBatch and validationChance make every validation the same.
const (
	validationBatch  = 32
	validationChance = 1908_07490
)

// Validate implements [train.Task]: the mean losses.
func (t *PreTraining) Validate(ctx context.Context) (*train.Validation, error) {
	if t.valid == nil {
		return nil, nil
	}
	mine, err := t.validationLosses(ctx)
	ranks, err := train.Confer(t.Ranks, mine, err)
	if err != nil {
		return nil, err
	}
	sums, counts := map[string]float64{}, map[string]int{}
	for _, batch := range slices.Concat(ranks...) { // in their order, so that the sums are the same on any number of ranks
		for name, loss := range batch.Losses {
			sums[name] += loss * float64(batch.Examples)
			counts[name] += batch.Examples
		}
	}
	v := &train.Validation{Losses: map[string]float64{}, Loss: new(0.0)}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		v.Losses[name] = sums[name] / float64(counts[name])
		*v.Loss += v.Losses[name]
	}
	return v, nil
}

// batchLosses are the losses of a batch of the validation, less those for which it has no label.
type batchLosses struct {
	Examples int
	Losses   map[string]float64
}

// validationLosses are those of this rank's batches.
func (t *PreTraining) validationLosses(ctx context.Context) ([]batchLosses, error) {
	m := &model.LxmertForPreTraining{Network: t.Network}
	var found []batchLosses
	from, to := t.stretch((len(t.Valid) + validationBatch - 1) / validationBatch)
	for number := from; number < to; number++ {
		start := number * validationBatch
		var examples []int
		for e := start; e < min(start+validationBatch, len(t.Valid)); e++ {
			examples = append(examples, e)
		}
		batch, err := t.valid.batch(ctx, examples, uint64(validationChance+start), true)
		if err != nil {
			return nil, err
		}
		out, err := m.Forward(ctx, batch.Inputs, model.Options{})
		if err != nil {
			return nil, err
		}
		losses := batchLosses{len(examples), map[string]float64{}}
		for name, loss := range parts(&out.Losses) {
			if !slices.Contains(batch.Unlabelled, name) {
				losses.Losses[name] = float64(tensors.ToScalar[float32](loss))
			}
			loss.FinalizeAll()
		}
		found = append(found, losses)
		if t.Progress != nil {
			t.Progress(start+len(examples)-from*validationBatch, min(to*validationBatch, len(t.Valid))-from*validationBatch)
		}
	}
	return found, nil
}

// Save implements [train.Task].
func (t *PreTraining) Save(dir string) error {
	if t.labels != nil {
		if err := lxmert.WriteLabels(filepath.Join(dir, lxmert.LabelsName), t.labels); err != nil {
			return err
		}
	}
	return t.save(dir)
}

// WritePredictions implements [train.Task]; pre-training predicts nothing that is submitted.
func (t *PreTraining) WritePredictions(string, []eval.Prediction) error { return nil }
