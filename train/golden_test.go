package train_test

import (
	"encoding/json"
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
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// A trajectory is a training run of the reference.
type trajectory struct {
	name, start string // directories; start has the first weights and the batches
	head        model.Head
	optimizer   train.Optimizer
	clip        float64
	key         golden.Tolerance // of key biases, whose true gradient is 0
}

var trajectories = []trajectory{
	{"pretrain_bertadam", "pretrain_bertadam", model.HeadPreTraining, &train.BertAdam{LearningRate: 1e-3, Warmup: 0.05, Steps: 40}, 1, finalWeight},
	{"pretrain_adamw", "pretrain_bertadam", model.HeadPreTraining, &train.AdamW{LearningRate: 1e-3, Warmup: 2, Steps: 8}, 1, golden.Tolerance{Absolute: 4e-3}},
	{"vqa_bertadam", "vqa_bertadam", model.HeadQuestionAnswering, &train.BertAdam{LearningRate: 5e-4, Warmup: 0.1, Steps: 20}, 5, finalWeight},
	{"nlvr2_bertadam", "nlvr2_bertadam", model.HeadNLVR2, &train.BertAdam{LearningRate: 5e-4, Warmup: 0.1, Steps: 6}, 5, finalWeight},
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
	var step *train.Step
	for i := range want.Loss {
		loss, args := lossOf(t, config, c.head, filepath.Join(start, fmt.Sprintf("batch_%d.safetensors", i)))
		if step == nil {
			if step, err = train.NewStep(m, loss, c.optimizer, c.clip); err != nil {
				t.Fatal(err)
			}
			defer step.Close()
		}
		got, err := step.Run(args...)
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

// lossOf reads a batch: its loss, and the inputs that the loss reads.
func lossOf(t *testing.T, config *model.Config, head model.Head, path string) (train.Loss, []any) {
	t.Helper()
	in := &model.Batch{}
	var target *tensors.Tensor
	for name, value := range golden.Tensors(t, path) {
		if name == "target" {
			target = value
		} else if !in.Set(name, value) {
			t.Fatalf("%s: no input %q", path, name)
		}
	}
	args, assemble := in.Nodes()
	training := model.Options{Training: true}
	switch head {
	case model.HeadPreTraining:
		return func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node {
			return config.PreTraining(s, assemble(inputs), training).Loss
		}, args
	case model.HeadNLVR2:
		return func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node {
			return config.NLVR2(s, assemble(inputs), training).Loss
		}, args
	default:
		return func(s *gomodel.Scope, inputs []*graph.Node) *graph.Node {
			targets := len(inputs) - 1
			return train.AnswerLoss(config.QuestionAnswering(s, assemble(inputs[:targets]), training).QuestionAnsweringScore, inputs[targets])
		}, append(args, target)
	}
}

// TestRates compares the schedules with the reference's, step by step.
func TestRates(t *testing.T) {
	for _, c := range trajectories {
		want := readTrace(t, filepath.Join("train", c.name))
		rate := graph.MustNewExec(golden.Portable(t), func(step *graph.Node) *graph.Node { return train.Rate(c.optimizer, step) })
		for i, w := range want.Rate {
			got := rate.MustCall1(float32(i + 1)).Value().(float32)
			closeTo(t, fmt.Sprintf("%s: learning rate of step %d", c.name, i), got, w, 1e-6)
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
func closeTo(t *testing.T, name string, got float32, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(float64(got)-want) <= tolerance*math.Abs(want)) {
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
	constant := func(_ *gomodel.Scope, inputs []*graph.Node) *graph.Node { return graph.ReduceAllSum(inputs[0]) }
	step, err := train.NewStep(m, constant, &train.BertAdam{LearningRate: 1e-3}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	if _, err := step.Run([]float32{1, 2}); err == nil || !strings.Contains(err.Error(), "depends on no weight") {
		t.Errorf("got %v", err)
	}
	if _, err := step.Run(); err == nil {
		t.Error("no inputs: no error")
	}
}
