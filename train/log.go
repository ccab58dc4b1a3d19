package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"

	"github.com/go-lxmert/lxmert/internal/jsonerror"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A StepRecord is what a run's log says about a training step: one line of log.jsonl. Numbers that are not finite are null
// there, and NaN when they are read again.
type StepRecord struct {
	Step         int                // from 1
	Epoch        int                // from 1
	Loss         float64            // of the step's batch
	Losses       map[string]float64 // by task
	GradientNorm float64            // of all gradients together, before clipping
	LearningRate float64
	Seconds      float64 // that the step took
	// Waiting and Reducing are how much of that rank 0 waited for other ranks, and added up gradients with them; 0 on one rank.
	Waiting, Reducing float64
}

// An EpochRecord is what a run's log says about an epoch when it is over. nil is what was not measured.
type EpochRecord struct {
	Epoch       int                // from 1
	Step        int                // the epoch's last
	TrainLoss   *float64           // mean over the epoch's steps
	TrainScore  *float64           // of the answers given while training
	ValidLoss   *float64           // of the validation split, after the epoch
	ValidScore  *float64           // of the validation split, after the epoch
	ValidLosses map[string]float64 // by task
	Seconds     float64            // that the epoch took, validation included
	Busy        *float64           // the share of the steps' time that did not go by waiting for data
}

// A LogRecord is one line of a log: either of the two is nil.
type LogRecord struct {
	Step  *StepRecord
	Epoch *EpochRecord
}

// MarshalJSON makes one line of log.jsonl, without the line's end.
func (r StepRecord) MarshalJSON() ([]byte, error) {
	return json.Marshal(logLine{Step: r.Step, Epoch: r.Epoch, Loss: some(r.Loss), Losses: numbers(r.Losses),
		GradientNorm: some(r.GradientNorm), LearningRate: some(r.LearningRate), Seconds: some(r.Seconds),
		Waiting: unlessZero(r.Waiting), Reducing: unlessZero(r.Reducing)})
}

// MarshalJSON makes one line of log.jsonl, without the line's end.
func (r EpochRecord) MarshalJSON() ([]byte, error) {
	return json.Marshal(logLine{Epoch: r.Epoch, Step: r.Step, TrainLoss: optional(r.TrainLoss), TrainScore: optional(r.TrainScore),
		ValidLoss: optional(r.ValidLoss), ValidScore: optional(r.ValidScore), ValidLosses: numbers(r.ValidLosses), Seconds: some(r.Seconds), Busy: optional(r.Busy)})
}

// UnmarshalJSON reads a line of either kind; which it is, the loss tells, for an epoch has none.
func (r *LogRecord) UnmarshalJSON(line []byte) error {
	var l logLine
	if err := json.Unmarshal(line, &l); err != nil {
		return jsonerror.Explain(err)
	}
	if l.Step < 1 || l.Epoch < 1 {
		return fmt.Errorf("step %d of epoch %d: both count from 1", l.Step, l.Epoch)
	}
	*r = LogRecord{}
	if l.Loss.known {
		r.Step = &StepRecord{Step: l.Step, Epoch: l.Epoch, Loss: l.Loss.value, Losses: values(l.Losses),
			GradientNorm: l.GradientNorm.value, LearningRate: l.LearningRate.value, Seconds: l.Seconds.value,
			Waiting: l.Waiting.value, Reducing: l.Reducing.value}
	} else {
		r.Epoch = &EpochRecord{Epoch: l.Epoch, Step: l.Step, TrainLoss: l.TrainLoss.pointer(), TrainScore: l.TrainScore.pointer(),
			ValidLoss: l.ValidLoss.pointer(), ValidScore: l.ValidScore.pointer(), ValidLosses: values(l.ValidLosses), Seconds: l.Seconds.value, Busy: l.Busy.pointer()}
	}
	return nil
}

// ReadLog reads a run's log.jsonl, line by line. Errors name the file and the line, and end it. A last line that is cut off is left out:
// the run is still being written, or was killed.
func ReadLog(path string) iter.Seq2[LogRecord, error] {
	return func(yield func(LogRecord, error) bool) {
		file, err := plainfile.Open(path)
		if err != nil {
			yield(LogRecord{}, err)
			return
		}
		defer file.Close()
		text := bufio.NewReaderSize(file, maxLogLine)
		for number := 1; ; number++ {
			line, err := text.ReadSlice('\n')
			cutOff := errors.Is(err, io.EOF)
			if err != nil && !cutOff {
				if errors.Is(err, bufio.ErrBufferFull) {
					err = fmt.Errorf("has over %d bytes", maxLogLine)
				}
				yield(LogRecord{}, fmt.Errorf("%s: line %d: %w", path, number, err))
				return
			}
			if cutOff && !json.Valid(line) {
				return
			}
			if len(bytes.TrimSpace(line)) == 0 {
				err = errors.New("is empty, want a JSON object")
			} else {
				err = nil
			}
			var record LogRecord
			if err == nil {
				err = json.Unmarshal(line, &record)
			}
			if err != nil {
				yield(LogRecord{}, fmt.Errorf("%s: line %d: %w", path, number, err))
				return
			}
			if !yield(record, nil) || cutOff {
				return
			}
		}
	}
}

// maxLogLine is far more than a line of a dozen tasks needs.
const maxLogLine = 1 << 16

// logLine is a line of either kind, in the order in which it is written.
type logLine struct {
	Step         int               `json:"step"`
	Epoch        int               `json:"epoch"`
	Loss         number            `json:"loss,omitzero"`
	Losses       map[string]number `json:"losses,omitempty"`
	GradientNorm number            `json:"grad_norm,omitzero"`
	LearningRate number            `json:"lr,omitzero"`
	TrainLoss    number            `json:"train_loss,omitzero"`
	TrainScore   number            `json:"train_score,omitzero"`
	ValidLoss    number            `json:"valid_loss,omitzero"`
	ValidScore   number            `json:"valid_score,omitzero"`
	ValidLosses  map[string]number `json:"valid_losses,omitempty"`
	Seconds      number            `json:"seconds,omitzero"`
	Busy         number            `json:"busy,omitzero"`
	Waiting      number            `json:"waiting,omitzero"`
	Reducing     number            `json:"reducing,omitzero"`
}

// A number may be missing, which is not the same as null: null is there, but not finite.
type number struct {
	value float64
	known bool
}

func some(v float64) number { return number{v, true} }

func optional(v *float64) number {
	if v == nil {
		return number{}
	}
	return some(*v)
}

func unlessZero(v float64) number { return number{v, v != 0} }

func (n number) pointer() *float64 {
	if !n.known {
		return nil
	}
	return &n.value
}

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(n.value) || math.IsInf(n.value, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(n.value)
}

func (n *number) UnmarshalJSON(text []byte) error {
	*n = some(math.NaN())
	if slices.Equal(text, []byte("null")) {
		return nil
	}
	return json.Unmarshal(text, &n.value)
}

func numbers(from map[string]float64) map[string]number {
	to := make(map[string]number, len(from))
	for name, v := range from {
		to[name] = some(v)
	}
	return to
}

func values(from map[string]number) map[string]float64 {
	if from == nil {
		return nil
	}
	to := make(map[string]float64, len(from))
	for name, v := range from {
		to[name] = v.value
	}
	return to
}
