package train_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/eval"
	"github.com/go-lxmert/lxmert/train"
)

// A square is where the ranks of a world in one process meet.
type square struct {
	mu    sync.Mutex
	all   *sync.Cond
	come  int
	round int
	brought,
	taken []any
}

// A rank is one of them.
type rank struct {
	*square
	number int
}

func ranks(n int) []train.Reducer {
	s := &square{brought: make([]any, n)}
	s.all = sync.NewCond(&s.mu)
	list := make([]train.Reducer, n)
	for i := range list {
		list[i] = &rank{s, i}
	}
	return list
}

// meet brings something, waits for the others, and takes what all have brought.
func (r *rank) meet(bring any) []any {
	r.mu.Lock()
	defer r.mu.Unlock()
	round := r.round
	r.brought[r.number] = bring
	if r.come++; r.come == len(r.brought) {
		r.taken, r.come, r.round = slices.Clone(r.brought), 0, round+1
		r.all.Broadcast()
	}
	for r.round == round {
		r.all.Wait()
	}
	return r.taken
}

func (r *rank) Rank() int { return r.number }
func (r *rank) Size() int { return len(r.brought) }

func (r *rank) Sum(values []float32) error {
	sums := make([]float32, len(values))
	for _, brought := range r.meet(slices.Clone(values)) {
		for i, v := range brought.([]float32) {
			sums[i] += v
		}
	}
	copy(values, sums)
	return nil
}

func (r *rank) Share(mine []byte) ([][]byte, error) {
	var all [][]byte
	for _, brought := range r.meet(mine) {
		all = append(all, brought.([]byte))
	}
	return all, nil
}

func (r *rank) Exchange(send, receive []byte) error {
	piece := len(send) / r.Size()
	for from, brought := range r.meet(slices.Clone(send)) {
		copy(receive[from*piece:], brought.([]byte)[r.number*piece:][:piece])
	}
	return nil
}

// onRanks runs a program on several ranks at once and gives their errors.
func onRanks(n int, program func(r train.Reducer) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i, r := range ranks(n) {
		all.Go(func() { errs[i] = program(r) })
	}
	all.Wait()
	return errs
}

// over makes a run on so many ranks, from its beginning or its last checkpoint, and gives their errors. more, unless nil, alters a session before it runs.
func (w *world) over(t *testing.T, n int, o train.Options, more func(rank int, s *session) context.Context) []error {
	t.Helper()
	var sessions []*session
	list := ranks(n)
	for i := range n { // one after the other: who opens a run may find it half written
		o.Ranks = list[i]
		sessions = append(sessions, w.open(t, o))
	}
	errs := make([]error, n)
	var all sync.WaitGroup
	for i, s := range sessions {
		all.Go(func() {
			ctx := t.Context()
			if more != nil {
				ctx = more(i, s)
			}
			errs[i] = s.Run(ctx)
		})
	}
	all.Wait()
	return errs
}

// weightsIn reads the weights of a model directory.
func (w *world) weightsIn(t testing.TB, o train.Options) map[string][]float32 {
	t.Helper()
	o.Ranks = nil
	weights := map[string][]float32{}
	for name, value := range w.open(t, o).task.Network.Weights() {
		var err error
		if weights[name], err = tensors.CopyFlatData[float32](value); err != nil {
			t.Fatal(err)
		}
	}
	return weights
}

// sameWeights compares weights; key biases, whose true gradient is 0, may differ: the optimiser magnifies what rounding leaves of it.
func sameWeights(t testing.TB, got, want map[string][]float32, tolerance float64) {
	t.Helper()
	worst, where := 0.0, ""
	for name, values := range want {
		if strings.HasSuffix(name, ".key.bias") {
			continue
		}
		for i, v := range values {
			if d := math.Abs(float64(got[name][i] - v)); !(d <= worst) {
				worst, where = d, fmt.Sprintf("%s[%d]", name, i)
			}
		}
	}
	t.Logf("largest difference: %.2g, %s", worst, where)
	if !(worst <= tolerance) {
		t.Errorf("%s differs by %v, want at most %v", where, worst, tolerance)
	}
}

// TestRanks: a batch in four parts teaches the same on one, two or four ranks, dropout and all, also if it goes on with another number of them after one
// was told to stop.
func TestRanks(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Batch, o.Accumulate, o.Epochs = 4, 4, 2
	w.run(t, o)
	alone, want, log := o.Out, w.weightsIn(t, o), outcome(t, o.Out)["log.jsonl"]
	for name, c := range map[string]struct {
		ranks, then int
		narrow      bool
		tolerance   float64
	}{
		"two":               {ranks: 2, tolerance: 2e-5},
		"four":              {ranks: 4, tolerance: 2e-5},
		"two, then four":    {ranks: 2, then: 4, tolerance: 2e-5},
		"four, then one":    {ranks: 4, then: 1, tolerance: 2e-5},
		"two, in bfloat16":  {ranks: 2, narrow: true, tolerance: 2e-2},
		"four, in bfloat16": {ranks: 4, narrow: true, tolerance: 2e-2},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Out, o.ReduceBFloat16 = t.TempDir(), c.narrow
			if c.then > 0 {
				for _, err := range w.over(t, c.ranks, o, func(rank int, s *session) context.Context {
					ctx, stop := context.WithCancel(t.Context())
					s.Watch(watch{step: func(r train.StepRecord, _ int) {
						if rank == 1 && r.Step == 7 { // which only this one is told
							stop()
						}
					}})
					return ctx
				}) {
					var stopped *train.Interrupted
					if !errors.As(err, &stopped) || stopped.Step != 7 && stopped.Step != 8 {
						t.Fatal(err)
					}
				}
				c.ranks = c.then
			}
			if err := errors.Join(w.over(t, c.ranks, o, nil)...); err != nil {
				t.Fatal(err)
			}
			sameWeights(t, w.weightsIn(t, o), want, c.tolerance)
			if got := outcome(t, o.Out)["log.jsonl"]; strings.Count(got, "\n") != strings.Count(log, "\n") {
				t.Errorf("the log is\n%s\nwant\n%s", got, log)
			}
			if c.narrow {
				return
			}
			got, alone := readLog(t, o.Out), readLog(t, alone)
			for i, r := range alone {
				closeTo(t, fmt.Sprintf("loss of step %d", i+1), got[i].Loss, r.Loss, 1e-4)
				closeTo(t, fmt.Sprintf("gradient norm of step %d", i+1), got[i].GradientNorm, r.GradientNorm, 1e-3)
			}
		})
	}
}

// readLog reads the steps of a run's log.
func readLog(t testing.TB, dir string) (steps []train.StepRecord) {
	t.Helper()
	for record, err := range train.ReadLog(filepath.Join(dir, train.LogName)) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Step != nil {
			steps = append(steps, *record.Step)
		}
	}
	return steps
}

// A spoilt task fails to make a batch, or to judge.
type spoilt struct {
	train.Task
	batches int // that it makes before it fails
	judges  bool
}

var errSpoilt = errors.New("the disk is on fire")

func (s *spoilt) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	if s.batches--; s.batches == 0 {
		return nil, errSpoilt
	}
	return s.Task.Batch(ctx, r)
}

func (s *spoilt) Validate(ctx context.Context) (*train.Validation, error) {
	if s.judges {
		return nil, errSpoilt
	}
	return s.Task.Validate(ctx)
}

func (s *spoilt) WritePredictions(path string, predictions []eval.Prediction) error {
	if s.batches < -100 {
		return errSpoilt
	}
	return s.Task.WritePredictions(path, predictions)
}

// TestOneRankFails: what goes wrong on one rank, whatever it is at, ends all with the same message.
func TestOneRankFails(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		rank  int
		spoil spoilt
		want  string
	}{
		"a batch":                {2, spoilt{batches: 3}, "step 3: rank 2 (on "},
		"a batch of rank 0":      {0, spoilt{batches: 3}, "the disk is on fire; there is no checkpoint yet"},
		"a validation":           {1, spoilt{judges: true}, "rank 1 (on "},
		"what rank 0 writes":     {0, spoilt{batches: -200}, "the disk is on fire; there is no checkpoint yet"},
		"a batch, checkpoint is": {3, spoilt{batches: 14}, "; the last checkpoint is that of step 11"},
	} {
		t.Run(name, func(t *testing.T) {
			o := small(t.TempDir())
			o.Accumulate = 4
			list := ranks(4)
			errs := make([]error, len(list))
			var all sync.WaitGroup
			for i, r := range list {
				o.Ranks = r
				s := w.fresh(t, o)
				task := train.Task(s.task)
				if i == c.rank {
					spoil := c.spoil
					spoil.Task = task
					task = &spoil
				}
				trainer, err := train.New(s.task.Network, task, o)
				if err != nil {
					t.Fatal(err)
				}
				all.Go(func() { errs[i] = trainer.Run(t.Context()) })
			}
			all.Wait()
			for i, err := range errs {
				if err == nil || !train.Agreed(err) || !strings.Contains(err.Error(), errSpoilt.Error()) {
					t.Errorf("rank %d: %v", i, err)
				}
				if i == 0 && !strings.Contains(err.Error(), c.want) {
					t.Errorf("rank 0 says %v, want %s", err, c.want)
				}
			}
		})
	}
}

// TestOtherWeights: a rank that begins with other weights is refused.
func TestOtherWeights(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	errs := onRanks(2, func(r train.Reducer) error {
		o := o
		o.Ranks = r
		s := w.fresh(t, o)
		if r.Rank() == 1 {
			for _, value := range s.task.Network.Weights() {
				if err := tensors.MutableFlatData(value, func(flat []float32) { flat[0]++ }); err != nil {
					return err
				}
				break
			}
		}
		return s.Run(t.Context())
	})
	for _, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "rank 1 begins with other weights (step 0) than rank 0") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Out, train.LastName)); err == nil {
		t.Error("there is a checkpoint")
	}
}

// TestDrift: a rank that comes to other weights than the others ends the run, before they are saved.
func TestDrift(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	errs := w.over(t, 2, o, func(rank int, s *session) context.Context {
		s.Watch(watch{step: func(r train.StepRecord, _ int) {
			if rank == 1 && r.Step == 5 {
				if err := s.task.Network.Update(func() error { return nudge(s) }); err != nil {
					t.Error(err)
				}
			}
		}})
		return t.Context()
	})
	for _, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "rank 1 has come to other weights than rank 0") ||
			!strings.Contains(err.Error(), "there is no checkpoint yet") {
			t.Errorf("got %v", err)
		}
	}
}

// nudge changes a weight a little.
func nudge(s *session) error {
	for variable := range s.task.Network.Store().IterVariables() {
		if variable.Trainable {
			value, err := variable.Value()
			if err != nil {
				return err
			}
			return tensors.MutableFlatData(value, func(flat []float32) { flat[0] += 1e-6 })
		}
	}
	return errors.New("there is no weight")
}

// TestUndivided: parts that ranks cannot share evenly are refused; unless told otherwise there is one for each.
func TestUndivided(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Ranks = ranks(4)[0]
	task := w.fresh(t, func() train.Options { o := o; o.Accumulate = 4; return o }()).task
	for parts, want := range map[int]string{2: "2 parts cannot be divided among 4 ranks", 0: "", 4: ""} {
		o.Accumulate = parts
		if _, err := train.New(task.Network, task, o); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d parts: %v", parts, err)
		}
	}
	o.Accumulate, o.Batch = 0, 6
	if _, err := train.New(task.Network, task, o); err == nil || !strings.Contains(err.Error(), "a batch of 6 cannot be divided into 4 equal parts") {
		t.Errorf("got %v", err)
	}
}

// TestConfer: all ranks hear what each has to say; a failure comes before the wish to stop, and of two the lower rank's.
func TestConfer(t *testing.T) {
	for name, c := range map[string]struct {
		failed [3]error
		want   string
		stop   bool
	}{
		"nothing":       {},
		"one":           {failed: [3]error{1: errSpoilt}, want: "the disk is on fire"},
		"stop":          {failed: [3]error{1: context.Canceled}, want: "canceled", stop: true},
		"stop and fail": {failed: [3]error{context.Canceled, nil, errSpoilt}, want: "the disk is on fire"},
		"two":           {failed: [3]error{nil, errSpoilt, errors.New("another")}, want: "the disk is on fire"},
	} {
		t.Run(name, func(t *testing.T) {
			onRanks(3, func(r train.Reducer) error {
				all, err := train.Confer(r, math.NaN(), c.failed[r.Rank()])
				switch {
				case c.want == "" && (err != nil || len(all) != 3 || all[2] == all[2]):
					t.Errorf("rank %d: %v, %v", r.Rank(), all, err)
				case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, context.Canceled) != c.stop):
					t.Errorf("rank %d: %v", r.Rank(), err)
				}
				if again := train.Agree(r, err); again != err { // without another word
					t.Errorf("rank %d: %v", r.Rank(), again)
				}
				return nil
			})
		})
	}
}
