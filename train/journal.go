package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/tensorboard"
)

// LogName is the name of a run's log.
const LogName = "log.jsonl"

// journal is what a run writes down as it goes: the log, and the same for TensorBoard.
type journal struct {
	log    *os.File
	events *tensorboard.Writer
}

// openJournal takes up the journal of a run that is at s: lines about what came after are left out, for it will come again.
func openJournal(dir string, s state) (*journal, error) {
	path := filepath.Join(dir, LogName)
	if err := cutLog(path, s); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	events, err := tensorboard.Create(dir, time.Now(), int64(s.Step)+1)
	if err != nil {
		log.Close()
		return nil, err
	}
	return &journal{log, events}, nil
}

// cutLog leaves out the lines of a log about what a run at s does not know of.
func cutLog(path string, s state) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return atomicfile.Write(path, 0o644, func(w io.Writer) error {
		lines := json.NewEncoder(w)
		for record, err := range ReadLog(path) {
			switch {
			case err != nil:
				return err
			case record.Step != nil && record.Step.Step <= s.Step:
				err = lines.Encode(record.Step)
			case record.Epoch != nil && record.Epoch.Epoch <= s.Epoch:
				err = lines.Encode(record.Epoch)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// step writes a line about a step.
func (j *journal) step(r StepRecord) error {
	values := map[string]float64{"train/loss": r.Loss, "train/grad_norm": r.GradientNorm, "train/lr": r.LearningRate}
	for name, v := range r.Losses {
		values["train/loss/"+name] = v
	}
	return j.write(r, r.Step, values)
}

// epoch writes a line about an epoch.
func (j *journal) epoch(r EpochRecord) error {
	values := map[string]float64{}
	for name, v := range map[string]*float64{
		"epoch/train_loss": r.TrainLoss, "epoch/train_score": r.TrainScore, "epoch/valid_loss": r.ValidLoss, "epoch/valid_score": r.ValidScore,
	} {
		if v != nil {
			values[name] = *v
		}
	}
	for name, v := range r.ValidLosses {
		values["epoch/valid_loss/"+name] = v
	}
	return j.write(r, r.Step, values)
}

func (j *journal) write(record any, step int, values map[string]float64) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	if _, err := j.log.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the run's log cannot be written: %w", err)
	}
	return j.events.Scalars(int64(step), time.Now(), values)
}

// sync puts on the disk what has been written so far.
func (j *journal) sync() error { return errors.Join(j.log.Sync(), j.events.Flush()) }

func (j *journal) close() error { return errors.Join(j.events.Close(), j.log.Close()) }

// record writes down a step, if it is its turn, and tells who watches.
func (t *Trainer) record(r Result, rate, seconds float64, examples int) error {
	record := StepRecord{Step: t.state.Step, Epoch: t.state.Epoch + 1, Loss: r.Loss, Losses: r.Parts,
		GradientNorm: r.GradientNorm, LearningRate: rate, Seconds: seconds, Waiting: r.Waiting, Reducing: r.Reducing}
	if t.first() && (t.state.Step%t.options.LogEvery == 0 || t.state.Step == t.total) {
		if err := t.journal.step(record); err != nil {
			return fmt.Errorf("step %d: %w", t.state.Step, err)
		}
	}
	if t.options.Watch != nil {
		t.options.Watch.Step(record, examples)
	}
	return nil
}

// epochRecord says how the epoch that ends was, and how the model did in the validation after it, which may be nil.
func (t *Trainer) epochRecord(v *Validation, seconds float64) EpochRecord {
	s := &t.state
	r := EpochRecord{Epoch: s.Epoch + 1, Step: s.Step, Seconds: s.Seconds + seconds}
	if s.Loss.Count > 0 {
		r.TrainLoss = new(s.Loss.value())
	}
	if s.Score.Count > 0 {
		r.TrainScore = new(s.Score.value())
	}
	if s.Seconds > 0 {
		r.Busy = new(1 - s.Waited/s.Seconds)
	}
	if v != nil {
		r.ValidLoss, r.ValidScore, r.ValidLosses = v.Loss, v.Score, v.Losses
	}
	return r
}
