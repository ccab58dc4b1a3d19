package train_test

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/go-lxmert/lxmert/backend/simd"
	"github.com/go-lxmert/lxmert/backend/simd/kernel"
	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// TestBFloat16 trains in bfloat16, with layers computed again, beside the reference's float32. Over eight steps losses come to be 4e-4
// of themselves apart, norms of gradients 2.3e-3.
func TestBFloat16(t *testing.T) {
	golden.EachEngine(t, testBFloat16)
	for _, set := range kernel.NarrowSets() {
		if number := set.In(kernel.BFloat16); number.Instruction() != "" && !slices.Contains(kernel.Sets(), set) {
			t.Run("simd-"+set.String(), func(t *testing.T) { testBFloat16(t, ours(t, "isa="+set.String())) }) // CPUs that multiply bfloat16 fast have it by default
		}
	}
}

// ours is an engine of that configuration.
func ours(t *testing.T, config string) compute.Backend {
	t.Helper()
	engine, err := simd.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Finalize)
	return engine
}

func testBFloat16(t *testing.T, engine compute.Backend) {
	want := readTrace(t, filepath.Join("train", "pretrain_bertadam"))
	results, _ := trainInBFloat16(t, engine, len(want.Loss))
	farthest := 0.0
	for i, got := range results {
		closeTo(t, fmt.Sprint("loss of step ", i), got.Loss, want.Loss[i], 1e-3)
		closeTo(t, fmt.Sprint("gradient norm of step ", i), got.GradientNorm, want.GradientNorm[i], 1e-2)
		farthest = max(farthest, math.Abs(got.Loss/want.Loss[i]-1))
	}
	t.Logf("losses up to %v of themselves apart", farthest)
	if farthest < 2*stepNumber {
		t.Errorf("the losses are float32's, but for %v of them", farthest)
	}
}

// trainInBFloat16 makes some steps of the reference's pre-training, and returns what each found and the weights at the end.
func trainInBFloat16(t *testing.T, engine compute.Backend, steps int) ([]train.Result, map[string][]float32) {
	t.Helper()
	dir := filepath.Join("train", "pretrain_bertadam")
	config := golden.Config(t, dir)
	m, err := model.New(engine, config, model.HeadPreTraining, golden.Weights(t, filepath.Join(dir, "initial.safetensors"), model.HeadPreTraining))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	options := model.Options{BFloat16: true, Checkpointing: true}
	step, err := train.NewStep(m, objectiveOf(config, model.HeadPreTraining, options), train.BertAdam{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer step.Close()
	var results []train.Result
	for i := range steps {
		got, err := step.Run(trajectories[0].schedule.At(i+1), i+1, readBatch(t, filepath.Join(dir, fmt.Sprintf("batch_%d.safetensors", i))))
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, got)
	}
	weights := map[string][]float32{}
	for name, weight := range m.Weights() {
		weights[name] = tensors.MustCopyFlatData[float32](weight)
	}
	return results, weights
}

// TestBFloat16Threads: one thread and two train the same weights, to the bit, and so they do again.
func TestBFloat16Threads(t *testing.T) {
	const steps = 3
	want, weights := trainInBFloat16(t, ours(t, "threads=1"), steps)
	for range 2 {
		got, again := trainInBFloat16(t, ours(t, "threads=2"), steps)
		for i := range want {
			if got[i].Loss != want[i].Loss || got[i].GradientNorm != want[i].GradientNorm {
				t.Errorf("step %d: found %v and %v, want %v and %v", i, got[i].Loss, got[i].GradientNorm, want[i].Loss, want[i].GradientNorm)
			}
		}
		for name, w := range weights {
			if !slices.Equal(again[name], w) {
				t.Errorf("%s differs", name)
			}
		}
	}
}
