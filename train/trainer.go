package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicdir"
	"github.com/go-lxmert/lxmert/model"
)

// PredictionsName is the submission file of a run's last validation.
const PredictionsName = "valid_predict.json"

// A Trainer trains a model on a task, in a directory of its own:
//
//	last/, best/         model directories; last/ also holds what the run needs to go on
//	log.jsonl            a line a step, and one an epoch ([ReadLog])
//	events.out.tfevents… the same for TensorBoard
//	valid_predict.json   what the model answered in the last validation
//
// A run that was stopped or killed at any moment goes on from its last checkpoint, and ends with the same weights, to the bit, as one that
// was not (on the same kind of machine).
//
// Several ranks ([Options.Ranks]) each have a Trainer with the same options, data and model. Rank 0 alone claims, writes and removes files.
type Trainer struct {
	model    *model.Network
	task     Task
	options  Options
	perEpoch int // steps
	total    int // steps, unless it ends early
	schedule Schedule

	state     state
	savedStep int // of the last checkpoint; 0: there is none
	savedAt   time.Time
	step      *Step
	journal   *journal
}

// New makes a trainer. Errors: options out of range.
func New(m *model.Network, task Task, options Options) (*Trainer, error) {
	if m == nil || task == nil {
		return nil, errors.New("train.New wants a model and a task")
	}
	if err := options.check(task.Len()); err != nil {
		return nil, err
	}
	t := &Trainer{model: m, task: task, options: options, perEpoch: task.Len() / options.Batch, schedule: options.schedule(task.Len())}
	t.total = t.perEpoch * options.Epochs
	if options.MaxSteps > 0 {
		t.total = min(t.total, options.MaxSteps)
	}
	return t, nil
}

// Steps are the steps of the whole run, of an epoch, and those made so far.
func (t *Trainer) Steps() (total, perEpoch, done int) { return t.total, t.perEpoch, t.state.Step }

// Watch has somebody told how the run goes, in place of the options' Watch.
func (t *Trainer) Watch(w Watcher) { t.options.Watch = w }

// Summary says in a line what a run has come to.
func (t *Trainer) Summary() string {
	text := fmt.Sprintf("%s: %d steps, %d epochs", t.options.Out, t.state.Step, t.state.Epoch)
	switch best := t.state.Best; {
	case best == nil:
	case best.Score != nil:
		text += fmt.Sprintf("; best validation score %.4f, after epoch %d", *best.Score, best.Epoch)
	case best.Loss != nil:
		text += fmt.Sprintf("; lowest validation loss %.4f, after epoch %d", *best.Loss, best.Epoch)
	}
	return text
}

// Recover makes sure that the checkpoints of a run's directory are whole, after a run that was killed, and reports whether there is one to
// go on from. It must be called before a model is loaded from them, by who has claimed the directory ([Claim]): it clears away what a
// run under way is writing.
func Recover(out string) (found bool, err error) {
	for _, name := range []string{LastName, BestName} {
		if err := atomicdir.Recover(filepath.Join(out, name)); err != nil {
			return false, err
		}
	}
	_, err = readState(filepath.Join(out, LastName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Resume takes up the state of the run's last checkpoint, from which the model must have been loaded.
func (t *Trainer) Resume() error {
	last := t.path(LastName)
	s, err := readState(last)
	if err != nil {
		return err
	}
	// A run that has ended may have done so in the middle of an epoch.
	if !s.Ended && (s.InEpoch > t.perEpoch || s.Step > t.total || s.Step != s.Epoch*t.perEpoch+s.InEpoch) {
		return fmt.Errorf("%s: the checkpoint is of step %d, the %dth of epoch %d, which a run of %d steps, %d an epoch, does not have: data or options have changed",
			last, s.Step, s.InEpoch, s.Epoch+1, t.total, t.perEpoch)
	}
	if err := loadMoments(last, t.model); err != nil {
		return err
	}
	t.state, t.savedStep = s, s.Step
	return nil
}

// Interrupted is the error of a run whose context ended: the checkpoint has been saved.
type Interrupted struct{ Step int }

func (e *Interrupted) Error() string {
	if e.Step == 0 {
		return "stopped before the first step was over"
	}
	return fmt.Sprintf("stopped after step %d, which is saved", e.Step)
}

// Run trains to the end. When ctx ends it ends the step under way, saves a checkpoint, and returns an *[Interrupted]. Of several ranks all
// stop after the same step when one is told to, and all have the same error when one fails.
func (t *Trainer) Run(ctx context.Context) error {
	if t.first() && !t.options.Claimed {
		release, err := Claim(t.options.Out)
		if err != nil {
			return Agree(t.options.Ranks, err)
		}
		defer release()
	}
	return Agree(t.options.Ranks, t.run(ctx))
}

// first says whether this is the rank that writes.
func (t *Trainer) first() bool { return t.options.Ranks.Rank() == 0 }

func (t *Trainer) run(ctx context.Context) (err error) {
	if t.first() {
		if t.journal, err = openJournal(t.options.Out, t.state); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, t.journal.close()) }()
	}
	if t.step, err = NewStep(t.model, t.task.Objective(), t.options.Optimizer, t.options.Clip); err != nil {
		return err
	}
	defer t.step.Close()
	t.step.Over(t.options.Ranks, t.options.ReduceBFloat16)
	if err := t.step.On(t.options.Devices); err != nil {
		return err
	}
	if err := t.sameBeginning(); err != nil {
		return err
	}
	t.savedAt = time.Now()
	for !t.state.Ended {
		err := t.epoch(ctx)
		if err == nil {
			continue
		}
		err = Agree(t.options.Ranks, err) // whatever the other ranks are at, they hear of it
		// Whatever else goes wrong meanwhile is no interruption: after a loss that is no number the weights are lost, and must not be saved.
		if stopping(err) && (ctx.Err() != nil || Agreed(err)) {
			if t.first() && t.state.Step > t.savedStep {
				err = t.save(context.WithoutCancel(ctx), false)
			} else {
				err = nil
			}
			if err := Agree(t.options.Ranks, err); err != nil {
				return t.failed(err)
			}
			return agreedError{&Interrupted{t.state.Step}}
		}
		return t.failed(err)
	}
	return nil
}

// failed adds to an error what a run that cannot go on leaves behind.
func (t *Trainer) failed(err error) error {
	saved := t.savedStep
	if !t.first() { // rank 0 saves, and may be what has gone
		s, _ := readState(t.path(LastName)) // of step 0 if there is none
		saved = s.Step
	}
	if saved == 0 {
		return fmt.Errorf("%w; there is no checkpoint yet", err)
	}
	return fmt.Errorf("%w; the last checkpoint is that of step %d", err, saved)
}

// epoch makes the steps that are left of an epoch, and judges the model.
func (t *Trainer) epoch(ctx context.Context) error {
	to := min(t.perEpoch, t.total-t.state.Epoch*t.perEpoch)
	loading, stop := context.WithCancel(ctx)
	batches := t.loader(loading, t.state.Epoch, t.state.InEpoch, to)
	defer func() { // whoever called may close the data now, so nobody must be reading it
		stop()
		for l := range batches {
			l.free()
		}
	}()
	for t.state.InEpoch < to {
		start := time.Now()
		l, ok := <-batches
		if err := ctx.Err(); err != nil {
			return err
		}
		if !ok || l.err != nil {
			return l.err
		}
		waited := time.Since(start)
		if err := t.oneStep(l, start, waited); err != nil {
			return err
		}
		if t.first() && t.due() && t.state.InEpoch < to {
			if err := t.save(ctx, false); err != nil {
				return err
			}
			t.savedAt = time.Now()
		}
	}
	return t.endEpoch(ctx)
}

// due says whether it is time for a checkpoint.
func (t *Trainer) due() bool {
	return t.options.SaveSteps > 0 && t.state.Step%t.options.SaveSteps == 0 ||
		t.options.SaveInterval > 0 && time.Since(t.savedAt) >= t.options.SaveInterval
}

// oneStep learns from one batch.
func (t *Trainer) oneStep(l loaded, start time.Time, waited time.Duration) error {
	number := t.state.Step + 1
	rate := t.schedule.At(number)
	r, err := t.step.Run(rate, number, l.batches...)
	if err != nil {
		return fmt.Errorf("step %d: %w", number, err)
	}
	l.free()
	if bad := r.Loss + r.GradientNorm; math.IsNaN(bad) || math.IsInf(bad, 0) {
		return fmt.Errorf("step %d: the loss is %v and the gradient's norm %v: the weights are lost; lower the learning rate, or look at %s",
			number, r.Loss, r.GradientNorm, t.describe(l.examples))
	}
	seconds := time.Since(start).Seconds()
	s := &t.state
	s.Step, s.InEpoch = number, s.InEpoch+1
	s.Seconds, s.Waited = s.Seconds+seconds, s.Waited+waited.Seconds()
	s.Loss.add(r.Loss)
	if r.Choices != nil {
		for _, score := range t.task.Scores(l.examples, r.Choices) {
			s.Score.add(score)
		}
	}
	return t.record(r, rate, seconds, len(l.examples))
}

// describe names the first examples of a batch.
func (t *Trainer) describe(examples []int) string {
	const most = 4
	var names []string
	for _, e := range examples[:min(most, len(examples))] {
		names = append(names, t.task.Describe(e))
	}
	if len(examples) > most {
		names = append(names, "…")
	}
	return fmt.Sprintf("its %d examples: %s", len(examples), strings.Join(names, ", "))
}

// endEpoch judges the model, and saves it.
func (t *Trainer) endEpoch(ctx context.Context) error {
	start := time.Now()
	if err := t.sameStill(); err != nil {
		return err
	}
	v, err := t.task.Validate(ctx)
	if err != nil {
		return err
	}
	s := &t.state
	record := t.epochRecord(v, time.Since(start).Seconds())
	best := false
	s.Epoch, s.InEpoch = s.Epoch+1, 0
	if v != nil {
		s.SinceBest++
		if v.better(s.Best) {
			s.Best, s.SinceBest, best = &bestSoFar{Epoch: s.Epoch, Score: v.Score, Loss: v.Loss}, 0, true
		}
	}
	s.Ended = s.Step >= t.total || t.options.Patience > 0 && s.SinceBest >= t.options.Patience
	s.Loss, s.Score, s.Seconds, s.Waited = mean{}, mean{}, 0, 0
	if t.first() {
		if err := t.writeEpoch(ctx, v, record, best || v == nil); err != nil {
			return err
		}
	}
	if t.options.Watch != nil {
		t.options.Watch.Epoch(record)
	}
	return nil
}

// writeEpoch writes what an epoch leaves behind; with best its model is the best so far.
func (t *Trainer) writeEpoch(ctx context.Context, v *Validation, record EpochRecord, best bool) error {
	if v != nil && v.Predictions != nil {
		if err := t.task.WritePredictions(t.path(PredictionsName), v.Predictions); err != nil {
			return err
		}
	}
	// The log first: who resumes cuts it to what the checkpoint knows of.
	if err := t.journal.epoch(record); err != nil {
		return err
	}
	if err := t.save(context.WithoutCancel(ctx), best); err != nil {
		return err
	}
	t.savedAt = time.Now()
	return nil
}
