package train_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// TestKeep keeps the last checkpoints, and each can be opened; where the run is taken up with fewer, the others go.
func TestKeep(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Epochs, o.MaxSteps, o.SaveSteps, o.Keep = 2, 14, 3, 3
	w.interrupted(t, o, nil, []int{1}) // which saves step 11, and step 11 again when the validation is over
	kept := func() []int {
		dirs, err := filepath.Glob(filepath.Join(o.Out, "step-*"))
		if err != nil {
			t.Fatal(err)
		}
		var steps []int
		for _, dir := range append(dirs, filepath.Join(o.Out, train.LastName)) {
			step := w.whole(t, dir)
			if name := fmt.Sprintf("step-%09d", step); filepath.Base(dir) != train.LastName && filepath.Base(dir) != name {
				t.Errorf("%s is of step %d", dir, step)
			}
			steps = append(steps, step)
		}
		return steps
	}
	if got := kept(); !slices.Equal(got, []int{11, 12, 14}) {
		t.Errorf("kept %v", got)
	}
	o.Out, o.Epochs, o.MaxSteps = t.TempDir(), 1, 11
	w.interrupted(t, o, nil, []int{1})
	if got := kept(); !slices.Equal(got, []int{6, 9, 11}) {
		t.Errorf("kept %v, where step 11 was saved twice", got)
	}
}

// TestKeepFewer: a run that is taken up with fewer checkpoints to keep removes the others.
func TestKeepFewer(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Epochs, o.SaveSteps, o.Keep = 1, 2, 4
	ctx, cancel := context.WithCancel(t.Context())
	s := w.open(t, o)
	s.Watch(watch{step: func(r train.StepRecord, _ int) {
		if r.Step == 9 {
			cancel()
		}
	}})
	if err := s.Run(ctx); err == nil {
		t.Fatal("not stopped")
	}
	for _, left := range [][]string{{"step-000000004", "step-000000006", "step-000000008"}, {"step-000000010"}} {
		found, err := filepath.Glob(filepath.Join(o.Out, "step-*"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			found[i] = filepath.Base(found[i])
		}
		if !slices.Equal(found, left) {
			t.Errorf("kept %v, want %v", found, left)
		}
		o.Keep = 2
		w.run(t, o)
	}
}

// A judged task is judged as somebody says.
type judged struct {
	*tasks.Answering
	scores []float64 // of the validations in order; none: there is nothing to judge by
	next   int
}

func (j *judged) Validate(context.Context) (*train.Validation, error) {
	if j.scores == nil {
		return nil, nil
	}
	j.next++
	return &train.Validation{Score: &j.scores[j.next-1]}, nil
}

// TestPatience ends a run after as many validations without a better one.
func TestPatience(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		scores           []float64
		patience, epochs int // epochs are those that are made of 6
		best             string
	}{
		"never":           {[]float64{.5, .4, .3, .2, .1, 0}, 0, 6, "0.5000, after epoch 1"},
		"two":             {[]float64{.5, .4, .6, .6, .6, .9}, 2, 5, "0.6000, after epoch 3"},
		"one":             {[]float64{.5, .5, .6, .6, .6, .9}, 1, 2, "0.5000, after epoch 1"},
		"better each":     {[]float64{.1, .2, .3, .4, .5, .6}, 1, 6, "0.6000, after epoch 6"},
		"nothing to tell": {nil, 1, 6, ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := small(t.TempDir())
			o.Batch, o.Accumulate, o.Epochs, o.Patience = 20, 1, 6, c.patience
			s := w.open(t, o)
			trainer, err := train.New(s.task.Network, &judged{Answering: s.task, scores: c.scores}, o)
			if err != nil {
				t.Fatal(err)
			}
			epochs := 0
			trainer.Watch(watch{epoch: func(r train.EpochRecord) {
				if epochs++; r.Epoch != epochs || r.Step != 2*epochs || (r.ValidScore == nil) != (c.scores == nil) {
					t.Errorf("epoch %d: %+v", epochs, r)
				}
			}})
			if err := trainer.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if epochs != c.epochs {
				t.Errorf("%d epochs, want %d", epochs, c.epochs)
			}
			if said := trainer.Summary(); !strings.HasSuffix(said, c.best) || !strings.Contains(said, fmt.Sprintf(": %d steps, %d epochs", 2*epochs, epochs)) {
				t.Errorf("got %q, want … %q", said, c.best)
			}
			// What has ended stays so: with a better validation to come, it would go on.
			again := w.open(t, o)
			if err := again.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, done := again.Steps(); done != 2*epochs {
				t.Errorf("taken up again, it made %d steps", done)
			}
			if _, err := os.Stat(filepath.Join(o.Out, train.BestName, "model.safetensors")); err != nil {
				t.Error(err)
			}
		})
	}
}

// A slow task takes its time to prepare the fourth batch, and knows whether it is at it.
type slow struct {
	*tasks.Answering
	batches int
	begun   chan struct{}
	busy    atomic.Bool
}

func (s *slow) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	if s.batches++; s.batches == 4 {
		s.busy.Store(true)
		defer s.busy.Store(false)
		close(s.begun)
		time.Sleep(500 * time.Millisecond) // longer than a checkpoint takes
	}
	return s.Answering.Batch(ctx, r)
}

// TestLoaderEnds: when a run has been stopped nobody reads its data any more.
func TestLoaderEnds(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Accumulate = 1
	s := w.open(t, o)
	task := &slow{Answering: s.task, begun: make(chan struct{})}
	trainer, err := train.New(s.task.Network, task, o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	trainer.Watch(watch{step: func(train.StepRecord, int) {
		<-task.begun // two others are ready
		cancel()
	}})
	if err := trainer.Run(ctx); err == nil {
		t.Fatal("not stopped")
	}
	if task.busy.Load() {
		t.Fatal("a batch is being prepared")
	}
}

// TestMaxSteps ends a run in the midst of an epoch, at the learning rates of the whole.
func TestMaxSteps(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	rates := func() (rates []float64, validations int) {
		for record, err := range train.ReadLog(filepath.Join(o.Out, train.LogName)) {
			switch {
			case err != nil:
				t.Fatal(err)
			case record.Step != nil:
				rates = append(rates, record.Step.LearningRate)
			case record.Epoch.ValidScore != nil:
				validations++
			}
		}
		return rates, validations
	}
	w.run(t, o)
	want, _ := rates()
	o.Out, o.MaxSteps = t.TempDir(), 13
	w.run(t, o)
	got, validations := rates()
	if !slices.Equal(got, want[:13]) || validations != 2 {
		t.Errorf("%d validations, rates %v, want %v", validations, got, want[:13])
	}
	schedule := train.Schedule{Course: train.Linear, Rate: o.Rate, Warmup: o.Warmup, Steps: 44}
	for i, rate := range want {
		if rate != schedule.At(i+1) {
			t.Errorf("step %d: rate %v, want %v", i+1, rate, schedule.At(i+1))
		}
	}
}

// TestLogEvery writes down every fifth step, and the last.
func TestLogEvery(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Epochs, o.LogEvery = 2, 5
	w.run(t, o)
	var steps []int
	for record, err := range train.ReadLog(filepath.Join(o.Out, train.LogName)) {
		if err != nil {
			t.Fatal(err)
		}
		if record.Step != nil {
			steps = append(steps, record.Step.Step)
		}
	}
	if !slices.Equal(steps, []int{5, 10, 15, 20, 22}) {
		t.Errorf("wrote down %v", steps)
	}
}

// A noted task notes what is asked of it.
type noted struct {
	*tasks.Answering
	requests []train.Request
}

func (n *noted) Batch(ctx context.Context, r train.Request) (*train.Batch, error) {
	n.requests = append(n.requests, r)
	return n.Answering.Batch(ctx, r)
}

// TestOrder: without shuffling the examples come as they are; with it each epoch has its own order, of all but what is left over; never the same chance twice.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	for _, shuffle := range []bool{false, true} {
		o := small(t.TempDir())
		o.NoShuffle, o.Epochs = !shuffle, 2
		s := w.open(t, o)
		task := &noted{Answering: s.task}
		trainer, err := train.New(s.task.Network, task, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := trainer.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		chances := map[uint64]bool{}
		orders := make([][]int, 2)
		for i, r := range task.requests {
			if r.Epoch != i/22 || len(r.Examples) != 2 {
				t.Fatalf("request %d: %+v", i, r)
			}
			chances[r.Chance] = true
			orders[r.Epoch] = append(orders[r.Epoch], r.Examples...)
		}
		if len(chances) != 44 {
			t.Errorf("%d different chances of 44", len(chances))
		}
		ascending := make([]int, 44)
		for i := range ascending {
			ascending[i] = i
		}
		for epoch, order := range orders {
			if slices.Equal(order, ascending) == shuffle {
				t.Errorf("shuffle %v, epoch %d: %v", shuffle, epoch, order)
			}
			distinct := slices.Compact(slices.Sorted(slices.Values(order)))
			if len(distinct) != 44 || distinct[43] > 44 {
				t.Errorf("epoch %d has %d different examples: %v", epoch, len(distinct), order)
			}
		}
		if shuffle && slices.Equal(orders[0], orders[1]) {
			t.Error("both epochs have the same order")
		}
	}
}

// TestChance: a run that is taken up in the midst of an epoch asks for what one that was not stopped asks for; and no two steps drop out the same.
func TestChance(t *testing.T) {
	w := newWorld(t)
	ask := func(o train.Options, stop int) (*noted, error) {
		s := w.open(t, o)
		task := &noted{Answering: s.task}
		trainer, err := train.New(s.task.Network, task, o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(o.Out, train.LastName)); err == nil {
			if err := trainer.Resume(); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		trainer.Watch(watch{step: func(r train.StepRecord, _ int) {
			if r.Step == stop {
				cancel()
			}
		}})
		return task, trainer.Run(ctx)
	}
	whole, err := ask(small(t.TempDir()), 0)
	if err != nil {
		t.Fatal(err)
	}
	part := small(t.TempDir())
	if _, err := ask(part, 16); err == nil {
		t.Fatal("not stopped")
	}
	rest, err := ask(part, 0)
	if err != nil || !reflect.DeepEqual(rest.requests, whole.requests[2*16:]) {
		t.Errorf("after step 16 it asks for %+v, %v; want %+v", rest.requests, err, whole.requests[2*16:])
	}

	for _, dropout := range []float64{0, 0.1} {
		w.dropout = dropout
		o := small(t.TempDir())
		o.Batch, o.Accumulate, o.Rate, o.NoShuffle = 45, 1, 0, true // the same batch and the same weights each time
		losses := map[float64]bool{}
		o.Watch = watch{step: func(r train.StepRecord, _ int) { losses[r.Loss] = true }}
		w.run(t, o)
		if want := map[float64]int{0: 1, 0.1: 4}[dropout]; len(losses) != want {
			t.Errorf("dropout %v: %d different losses of 4", dropout, len(losses))
		}
	}
}

// TestAccumulate: a batch in parts teaches what it does as a whole.
func TestAccumulate(t *testing.T) {
	w := newWorld(t)
	config := func(o train.Options) (records []train.StepRecord, weights map[string][]float32) {
		s := w.open(t, o)
		s.Watch(watch{step: func(r train.StepRecord, examples int) {
			if examples != 12 {
				t.Errorf("a step of %d examples", examples)
			}
			records = append(records, r)
		}})
		if err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		weights = map[string][]float32{}
		for name, value := range s.task.Network.Weights() {
			var err error
			if weights[name], err = tensors.CopyFlatData[float32](value); err != nil {
				t.Fatal(err)
			}
		}
		return records, weights
	}
	w.dropout = 0
	o := small(t.TempDir())
	o.Batch, o.Accumulate, o.Optimizer = 12, 1, train.AdamW{}
	want, wanted := config(o)
	for _, parts := range []int{2, 3, 4} {
		o.Out, o.Accumulate = t.TempDir(), parts
		got, weights := config(o)
		for i := range want {
			closeTo(t, fmt.Sprintf("%d parts: loss of step %d", parts, i+1), got[i].Loss, want[i].Loss, 1e-5)
			closeTo(t, fmt.Sprintf("%d parts: gradient norm of step %d", parts, i+1), got[i].GradientNorm, want[i].GradientNorm, 1e-4)
		}
		closeTo(t, "the first gradient norm", got[0].GradientNorm, want[0].GradientNorm, 1e-5)
		for name, values := range wanted {
			for i, v := range values {
				if strings.HasSuffix(name, ".key.bias") {
					continue // whose true gradient is 0: the optimiser magnifies what rounding leaves of it
				}
				if math.Abs(float64(weights[name][i]-v)) > 1e-4 {
					t.Fatalf("%d parts: %s[%d] is %v, want %v", parts, name, i, weights[name][i], v)
				}
			}
		}
	}
}

// TestLargeBatch: a batch that is larger than the data is all of it.
func TestLargeBatch(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Batch, o.Accumulate = 1000, 3
	s := w.open(t, o)
	s.Watch(watch{step: func(_ train.StepRecord, examples int) {
		if examples != 45 {
			t.Errorf("a step of %d examples", examples)
		}
	}})
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if total, perEpoch, done := s.Steps(); total != 4 || perEpoch != 1 || done != 4 {
		t.Errorf("%d steps, %d an epoch, %d done", total, perEpoch, done)
	}
}

// TestSaveInterval saves by the clock.
func TestSaveInterval(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Epochs, o.SaveInterval = 1, time.Nanosecond
	var saved []int
	o.Watch = watch{saved: func(step int) { saved = append(saved, step) }}
	w.run(t, o)
	if !slices.Equal(saved, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
		t.Errorf("saved after steps %v", saved)
	}
}

// TestBadOptions refuses each.
func TestBadOptions(t *testing.T) {
	w := newWorld(t)
	s := w.open(t, small(t.TempDir()))
	for name, c := range map[string]struct {
		spoil func(*train.Options)
		want  string
	}{
		"directory":   {func(o *train.Options) { o.Out = "" }, "wants a directory"},
		"optimiser":   {func(o *train.Options) { o.Optimizer = nil }, "wants an optimiser"},
		"batch":       {func(o *train.Options) { o.Batch = 0 }, "batches of 0 and 4 epochs"},
		"epochs":      {func(o *train.Options) { o.Epochs = -1 }, "batches of 4 and -1 epochs"},
		"most steps":  {func(o *train.Options) { o.MaxSteps = -1 }, "below 0"},
		"patience":    {func(o *train.Options) { o.Patience = -1 }, "below 0"},
		"saves":       {func(o *train.Options) { o.SaveSteps = -1 }, "below 0"},
		"interval":    {func(o *train.Options) { o.SaveInterval = -1 }, "below 0"},
		"parts":       {func(o *train.Options) { o.Accumulate = -1 }, "-1 parts of a batch"},
		"log":         {func(o *train.Options) { o.LogEvery = -1 }, "every -1 steps"},
		"keep":        {func(o *train.Options) { o.Keep = -1 }, "-1 checkpoints"},
		"uneven":      {func(o *train.Options) { o.Accumulate = 3 }, "a batch of 4 cannot be divided into 3 equal parts"},
		"clip":        {func(o *train.Options) { o.Clip = math.NaN() }, "a clip of NaN"},
		"clip below":  {func(o *train.Options) { o.Clip = -1 }, "a clip of -1"},
		"course":      {func(o *train.Options) { o.Course = "sideways" }, `schedule "sideways", want linear, constant or cosine`},
		"rate":        {func(o *train.Options) { o.Rate = math.NaN() }, "learning rate of NaN"},
		"rate below":  {func(o *train.Options) { o.Rate = -1 }, "learning rate of -1"},
		"rate beyond": {func(o *train.Options) { o.Rate = math.Inf(1) }, "learning rate of +Inf"},
		"warm-up":     {func(o *train.Options) { o.Warmup = 1 }, "warm-up of 1"},
		"cold-up":     {func(o *train.Options) { o.Warmup = math.NaN() }, "warm-up of NaN"},
	} {
		o := small(t.TempDir())
		c.spoil(&o)
		if _, err := train.New(s.task.Network, s.task, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, err := train.New(nil, s.task, small(t.TempDir())); err == nil {
		t.Error("no model: no error")
	}
	if _, err := train.New(s.task.Network, nil, small(t.TempDir())); err == nil {
		t.Error("no task: no error")
	}
}

// TestClaim: who comes second to a run's directory is told, whether the first holds it as a trainer or by Claim.
func TestClaim(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.Epochs, o.MaxSteps = 1, 2
	var second error
	o.Watch = watch{step: func(train.StepRecord, int) { _, second = train.Claim(o.Out) }}
	w.run(t, o)
	if second == nil || !strings.Contains(second.Error(), "is the run under way?") || !strings.Contains(second.Error(), o.Out) {
		t.Errorf("while it runs: got %v", second)
	}
	release, err := train.Claim(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	o.Watch = nil
	if err := w.open(t, o).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "is the run under way?") {
		t.Errorf("while somebody else has it: got %v", err)
	}
	o.Claimed = true
	w.run(t, o)
	release()
	o.Claimed = false
	w.run(t, o)
}

// TestBadCheckpoint refuses what is no checkpoint of the run.
func TestBadCheckpoint(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.MaxSteps = 12
	s := w.open(t, o)
	if err := s.Resume(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no checkpoint: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Watch(watch{step: func(r train.StepRecord, _ int) {
		if r.Step == 5 {
			cancel()
		}
	}})
	if err := s.Run(ctx); err == nil {
		t.Fatal("no interruption")
	}
	o.Batch = 12
	other, err := train.New(s.task.Network, s.task, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Resume(); err == nil || !strings.Contains(err.Error(), "data or options have changed") {
		t.Errorf("another batch: got %v", err)
	}
	last := filepath.Join(o.Out, train.LastName)
	for name, c := range map[string]struct{ file, content, want string }{
		"no JSON":       {train.StateName, "{", train.StateName},
		"below 0":       {train.StateName, `{"step": -1}`, "below 0"},
		"no moments":    {train.MomentsName, "", train.MomentsName},
		"others":        {train.MomentsName, tensorFile("a.m"), "tensor a.m belongs to no weight"},
		"of no kind":    {train.MomentsName, tensorFile("answer_head.logit_fc.0.bias"), "belongs to no weight"},
		"another shape": {train.MomentsName, tensorFile("answer_head.logit_fc.0.bias.m"), "is [1], want [32]"},
	} {
		path := filepath.Join(last, c.file)
		was, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put := func(content []byte) {
			os.Remove(path) // for best has the same file
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		put([]byte(c.content))
		if err := w.fresh(t, small(o.Out)).Resume(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		put(was)
	}
}

// tensorFile is a safetensors file with one number in it.
func tensorFile(name string) string {
	return "\x64\x00\x00\x00\x00\x00\x00\x00" + fmt.Sprintf("%-100s", fmt.Sprintf(`{%q:{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, name)) + "\x00\x00\x00\x00"
}
