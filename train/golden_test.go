package train_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	gomodel "github.com/gomlx/gomlx/ml/model"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/internal/sample"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// A trajectory is a training run of the reference.
type trajectory struct {
	name, start string // directories; start has the first weights and the batches
	head        model.Head
	optimizer   train.Optimizer
	schedule    train.Schedule
	clip        float64
	key         golden.Tolerance // of key biases, whose true gradient is 0
}

var trajectories = []trajectory{
	{"pretrain_bertadam", "pretrain_bertadam", model.HeadPreTraining, train.BertAdam{}, train.Schedule{Course: train.Linear, Rate: 1e-3, Warmup: 0.05, Steps: 40}, 1, finalWeight},
	{"pretrain_adamw", "pretrain_bertadam", model.HeadPreTraining, train.AdamW{WeightDecay: 0.01}, train.Schedule{Course: train.Linear, Rate: 1e-3, Warmup: 0.25, Steps: 8}, 1, golden.Tolerance{Absolute: 4e-3}},
	{"vqa_bertadam", "vqa_bertadam", model.HeadQuestionAnswering, train.BertAdam{}, train.Schedule{Course: train.Linear, Rate: 5e-4, Warmup: 0.1, Steps: 20}, 5, finalWeight},
	{"nlvr2_bertadam", "nlvr2_bertadam", model.HeadNLVR2, train.BertAdam{}, train.Schedule{Course: train.Linear, Rate: 5e-4, Warmup: 0.1, Steps: 6}, 5, finalWeight},
}

// finalWeight and stepNumber are how close weights and losses come when the reference is computed in float64, with a margin.
var (
	finalWeight = golden.Tolerance{Absolute: 2e-5}
	stepNumber  = 1e-5 // of the number
)

// trace is what the reference wrote down.
type trace struct {
	Loss            []float64 `json:"loss"`
	GradientNorm    []float64 `json:"grad_norm"`
	Rate            []float64 `json:"lr"`
	WithoutGradient []string  `json:"parameters_without_gradient"`
}

// TestGolden trains for eight steps and compares each, and the weights at the end, with the reference's.
func TestGolden(t *testing.T) {
	golden.EachEngine(t, func(t *testing.T, engine compute.Backend) {
		for _, c := range trajectories {
			t.Run(c.name, func(t *testing.T) { testTrajectory(t, engine, c) })
		}
	})
}

func testTrajectory(t *testing.T, engine compute.Backend, c trajectory) {
	dir, start := filepath.Join("train", c.name), filepath.Join("train", c.start)
	want := readTrace(t, dir)
	config := golden.Config(t, start)
	initial := filepath.Join(start, "initial.safetensors")
	m, err := model.New(engine, config, c.head, golden.Weights(t, initial, c.head))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	step, err := train.NewStep(m, objectiveOf(config, c.head, model.Options{}), c.optimizer, c.clip)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	for i := range want.Loss {
		batch := readBatch(t, filepath.Join(start, fmt.Sprintf("batch_%d.safetensors", i)))
		got, err := step.Run(c.schedule.At(i+1), i+1, batch)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, fmt.Sprint("loss of step ", i), got.Loss, want.Loss[i], stepNumber)
		closeTo(t, fmt.Sprint("gradient norm of step ", i), got.GradientNorm, want.GradientNorm[i], stepNumber)
	}
	weights := map[string]*tensors.Tensor{}
	for name, weight := range m.Weights() {
		weights[name] = weight
	}
	final := golden.Tensors(t, filepath.Join(dir, "final.safetensors"))
	for name, w := range final {
		tolerance := finalWeight
		if strings.HasSuffix(name, ".key.bias") {
			tolerance = c.key
		}
		golden.Near(t, name, weights[name], w, tolerance, 0)
	}
	if len(weights) != len(final) {
		t.Errorf("%d weights, want %d", len(weights), len(final))
	}
	first := golden.Tensors(t, initial)
	for _, name := range want.WithoutGradient {
		golden.Near(t, name+", which has no gradient", weights[name], first[name], golden.Tolerance{}, 0)
	}
}

// readBatch reads a batch: its inputs, and the target if there is one.
func readBatch(t *testing.T, path string) *train.Batch {
	t.Helper()
	batch := &train.Batch{Inputs: &model.Batch{}}
	for name, value := range golden.Tensors(t, path) {
		if name == "target" {
			batch.Target = value
		} else if !batch.Inputs.Set(name, value) {
			t.Fatalf("%s: no input %q", path, name)
		}
	}
	return batch
}

// objectiveOf is the loss that a head is trained with.
func objectiveOf(config *model.Config, head model.Head, training model.Options) train.Objective {
	training.Training = true
	return func(s *gomodel.Scope, in *model.Inputs[*graph.Node], target *graph.Node) train.Loss {
		switch head {
		case model.HeadPreTraining:
			return train.Loss{Total: config.PreTraining(s, in, training).Loss}
		case model.HeadNLVR2:
			return train.Loss{Total: config.NLVR2(s, in, training).Loss}
		}
		return train.Loss{Total: train.AnswerLoss(config.QuestionAnswering(s, in, training).QuestionAnsweringScore, target)}
	}
}

// TestRates compares the schedules with the reference's, step by step.
func TestRates(t *testing.T) {
	for _, c := range trajectories {
		want := readTrace(t, filepath.Join("train", c.name))
		for i, w := range want.Rate {
			closeTo(t, fmt.Sprintf("%s: learning rate of step %d", c.name, i), c.schedule.At(i+1), w, 1e-12)
		}
	}
}

func readTrace(t *testing.T, dir string) trace {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(golden.Dir(), dir, "trace.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want trace
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	if n := len(want.Loss); n == 0 || len(want.GradientNorm) != n || len(want.Rate) != n {
		t.Fatalf("%s: found %d losses, %d gradient norms, %d learning rates", dir, n, len(want.GradientNorm), len(want.Rate))
	}
	return want
}

// closeTo compares numbers; the tolerance is a share of the wanted one.
func closeTo(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Abs(want)) {
		t.Errorf("%s: got %v, want %v ± %v of it", name, got, want, tolerance)
	}
}

// TestNoWeight: a loss that no weight has a part in is an error, as is a step without inputs.
func TestNoWeight(t *testing.T) {
	m, err := model.New(golden.Portable(t), golden.Config(t, "tiny"), model.HeadModel, golden.Weights(t, "tiny/model.safetensors", model.HeadModel))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	constant := func(_ *gomodel.Scope, in *model.Inputs[*graph.Node], _ *graph.Node) train.Loss {
		return train.Loss{Total: graph.ReduceAllSum(in.VisualFeats)}
	}
	step, err := train.NewStep(m, constant, train.BertAdam{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	batch := &train.Batch{Inputs: sample.Questions(m.Config(), 1, 1, 2, 2)}
	if _, err := step.Run(1e-3, 1, batch); err == nil || !strings.Contains(err.Error(), "depends on no weight") {
		t.Errorf("got %v", err)
	}
	if _, err := step.Run(1e-3, 1); err == nil {
		t.Error("no batch: no error")
	}
	m.Close()
	if _, err := step.Run(1e-3, 1, batch); !errors.Is(err, model.ErrClosed) {
		t.Errorf("closed model: got %v", err)
	}
}
