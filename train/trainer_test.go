package train_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/backend"
	"github.com/go-lxmert/lxmert/data/questions"
	"github.com/go-lxmert/lxmert/internal/blocks"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/train"
	"github.com/go-lxmert/lxmert/train/tasks"
)

// A world is what runs in these tests learn from: 45 questions about 9 pictures, to be judged by 10 about 2.
type world struct {
	engine  compute.Backend
	common  tasks.Common
	dropout float64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	engine, err := backend.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	learn, judge := blocks.Scenes(1, "l", 9), blocks.Scenes(2, "j", 2)
	return &world{engine: engine, dropout: 0.1, common: tasks.Common{
		Kind: questions.KindVQA, Tokenizer: blocks.Tokenizer(t), MaxTokens: 10, Features: blocks.Source(append(learn, judge...)),
		Train: blocks.Questions(learn, 0), Valid: blocks.Questions(judge, 1000),
	}}
}

// small is a run of 44 steps, in 4 epochs of 11.
func small(out string) train.Options {
	return train.Options{Out: out, Batch: 4, Accumulate: 2, Epochs: 4, Optimizer: train.BertAdam{}, Course: train.Linear, Rate: 1e-3, Warmup: 0.1, Clip: 5, Seed: 7}
}

// A session is one program's share of a run.
type session struct {
	*train.Trainer
	task *tasks.Answering
}

// open takes up the run in o.Out, or begins one.
func (w *world) open(t testing.TB, o train.Options) *session {
	t.Helper()
	found, err := train.Recover(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return w.fresh(t, o)
	}
	m, _, err := pretrained.Load(w.engine, filepath.Join(o.Out, train.LastName), model.HeadQuestionAnswering, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := w.on(t, m, o)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	return s
}

// fresh is a run with fresh weights.
func (w *world) fresh(t testing.TB, o train.Options) *session {
	t.Helper()
	config := blocks.Config()
	config.HiddenDropout, config.AttentionDropout = w.dropout, w.dropout
	m, err := model.New(w.engine, config, model.HeadQuestionAnswering, config.Fresh(3))
	if err != nil {
		t.Fatal(err)
	}
	return w.on(t, m, o)
}

// on is a run with a model.
func (w *world) on(t testing.TB, m *model.Network, o train.Options) *session {
	t.Helper()
	t.Cleanup(func() { m.Close() })
	common := w.common
	common.Network = m
	task, err := tasks.NewAnswering(common, blocks.Labels)
	if err != nil {
		t.Fatal(err)
	}
	trainer, err := train.New(m, task, o)
	if err != nil {
		t.Fatal(err)
	}
	return &session{trainer, task}
}

// run makes a run from its beginning or its last checkpoint to the end.
func (w *world) run(t testing.TB, o train.Options) *session {
	t.Helper()
	s := w.open(t, o)
	if err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// A watch does something after each step, epoch and checkpoint.
type watch struct {
	step  func(train.StepRecord, int)
	epoch func(train.EpochRecord)
	saved func(step int)
}

func (w watch) Step(r train.StepRecord, examples int) {
	if w.step != nil {
		w.step(r, examples)
	}
}

func (w watch) Epoch(r train.EpochRecord) {
	if w.epoch != nil {
		w.epoch(r)
	}
}

func (w watch) Saved(_ string, step int) {
	if w.saved != nil {
		w.saved(step)
	}
}

// outcome is all that a run leaves behind, less the time it took.
func outcome(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, name := range []string{"last/model.safetensors", "last/training.safetensors", "last/config.json", "last/labels.json", "last/vocab.txt", "last/trained.json",
		"best/model.safetensors", "best/config.json", "best/labels.json", train.PredictionsName} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(content)
	}
	for _, name := range []string{train.LogName, "last/training.json"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		for d := json.NewDecoder(strings.NewReader(string(content))); d.More(); {
			line := map[string]any{}
			if err := d.Decode(&line); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, key := range []string{"seconds", "busy", "waited"} {
				delete(line, key)
			}
			fmt.Fprintln(&text, line)
		}
		found[name] = text.String()
	}
	return found
}

// same compares what two runs have left behind, to the bit.
func same(t testing.TB, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			text := ""
			if name == train.LogName || name == "last/training.json" {
				text = fmt.Sprintf(":\n%s\nwant\n%s", got[name], want[name])
			}
			t.Errorf("%s differs%s", name, text)
		}
	}
}

// TestResume stops a run after several steps, in the midst of validations, and before it has begun; what it comes to is the same as without, to the bit.
func TestResume(t *testing.T) {
	optimizers := map[string]train.Optimizer{"bertadam": train.BertAdam{}, "adamw": train.AdamW{WeightDecay: 0.01}}
	for name, optimizer := range optimizers {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "adamw" {
				t.Skip("bertadam will do")
			}
			w := newWorld(t)
			o := small(t.TempDir())
			o.Optimizer = optimizer
			w.run(t, o)
			want := outcome(t, o.Out)
			if n := strings.Count(want[train.LogName], "\n"); n != 44+4 {
				t.Fatalf("the log has %d lines:\n%s", n, want[train.LogName])
			}
			for _, saves := range map[string][]int{"bertadam": {0, 3}, "adamw": {2}}[name] {
				o.Out, o.SaveSteps = t.TempDir(), saves
				w.interrupted(t, o, []int{0, 1, 7, 11, 12, 30, 44}, []int{1, 3, 4})
				same(t, outcome(t, o.Out), want)
			}
		})
	}
}

// interrupted stops a run after certain steps, and in the validation after certain epochs, and takes it up again each time.
func (w *world) interrupted(t *testing.T, o train.Options, steps, validations []int) {
	t.Helper()
	stops, next, validation := 0, 0, 0
	for {
		ctx, cancel := context.WithCancel(t.Context())
		s := w.open(t, o)
		_, _, before := s.Steps()
		if next < len(steps) && steps[next] <= before {
			next++
			cancel()
		}
		s.Watch(watch{step: func(r train.StepRecord, _ int) {
			if next < len(steps) && r.Step == steps[next] {
				next++
				cancel()
			}
		}})
		s.task.Progress = func(int, int) {
			_, perEpoch, done := s.Steps()
			if validation < len(validations) && done == validations[validation]*perEpoch {
				validation++
				cancel()
			}
		}
		err := s.Run(ctx)
		cancel()
		if err == nil {
			break
		}
		stops++
		_, _, done := s.Steps()
		var stopped *train.Interrupted
		if !errors.As(err, &stopped) || stopped.Step != done {
			t.Fatalf("after %d steps: %v", done, err)
		}
		if done == 0 {
			if !strings.Contains(err.Error(), "before the first step") {
				t.Errorf("got %v", err)
			}
			continue
		}
		if s := w.open(t, o); func() int { _, _, found := s.Steps(); return found }() != done {
			t.Fatalf("the checkpoint of an interruption after step %d is another's", done)
		}
	}
	if stops != len(steps)+len(validations) {
		t.Fatalf("%d interruptions, want %d", stops, len(steps)+len(validations))
	}
}

// A described task does something when an example of it is named.
type described struct {
	*tasks.Answering
	named func()
}

func (d described) Describe(example int) string {
	d.named()
	return d.Answering.Describe(example)
}

// TestLost: a loss that is no number ends the run, names step and examples, and leaves the last checkpoint, even if the run is told to stop at that moment.
func TestLost(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	o.SaveSteps, o.Rate, o.Warmup, o.NoShuffle = 1, 1e30, 0.06, true // the first two steps change little
	s := w.open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	trainer, err := train.New(s.task.Network, described{s.task, cancel}, o)
	if err != nil {
		t.Fatal(err)
	}
	saved := 0
	trainer.Watch(watch{saved: func(step int) { saved = step }})
	err = trainer.Run(ctx)
	_, _, done := trainer.Steps()
	if ctx.Err() == nil || saved == 0 || saved != done {
		t.Fatalf("%d steps, saved %d: %v", done, saved, err)
	}
	for _, want := range []string{fmt.Sprintf("step %d: the loss is ", done+1), "NaN", fmt.Sprintf("the last checkpoint is that of step %d", done), fmt.Sprintf("its 4 examples: question %d, question %d", 4*done, 4*done+1)} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if _, _, found := w.open(t, o).Steps(); found != done {
		t.Errorf("the checkpoint is of step %d, want %d", found, done)
	}
}
