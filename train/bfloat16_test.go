package train_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"

	"github.com/go-lxmert/lxmert/internal/golden"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/train"
)

// TestBFloat16 trains in bfloat16, with layers computed again, beside the reference's float32. Over eight steps losses come to be 3e-4
// of themselves apart, norms of gradients 2.3e-3.
func TestBFloat16(t *testing.T) {
	golden.EachEngine(t, testBFloat16)
}

func testBFloat16(t *testing.T, engine compute.Backend) {
	dir := filepath.Join("train", "pretrain_bertadam")
	want := readTrace(t, dir)
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
	farthest := 0.0
	for i := range want.Loss {
		got, err := step.Run(trajectories[0].schedule.At(i+1), i+1, readBatch(t, filepath.Join(dir, fmt.Sprintf("batch_%d.safetensors", i))))
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, fmt.Sprint("loss of step ", i), got.Loss, want.Loss[i], 1e-3)
		closeTo(t, fmt.Sprint("gradient norm of step ", i), got.GradientNorm, want.GradientNorm[i], 1e-2)
		farthest = max(farthest, math.Abs(got.Loss/want.Loss[i]-1))
	}
	if farthest < 2*stepNumber {
		t.Errorf("the losses are float32's, but for %v of them", farthest)
	}
}
